"""Versions: published once, verified, activated, and gone back from."""

import multiprocessing
import os
from pathlib import Path

import fsspec
import orjson
import pytest

from streaming.errors import ModelsError
from streaming.similar import building
from streaming.similar.models import Models, open_models
from streaming.similar.registry import Active, Registry
from streaming.similar.scoring import Ranking
from tests.similar import versions


@pytest.fixture(params=["path", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    place = tmp_path / "models"
    return {"path": str(place), "file": f"file://{place}", "memory": f"memory://{place}"}[
        request.param
    ]


def test_versions_are_numbered_and_read_back(url: str, tmp_path: Path) -> None:
    registry = Registry(url)
    assert registry.versions() == []
    assert registry.active() == Active()
    first = versions.publish(url, tmp_path / "a")
    second = versions.publish(url, tmp_path / "b", keywords="textrank")
    assert [first.version, second.version] == ["v0001", "v0002"] == registry.versions()
    assert registry.read("v0001") == first
    assert registry.verify("v0002") == second
    assert first.checksum != second.checksum
    handle = registry.handle("v0002")
    assert (handle.version, handle.checksum) == ("v0002", second.checksum)


def test_the_same_files_have_the_same_checksum(url: str, tmp_path: Path) -> None:
    one, other = (versions.publish(url, tmp_path / name) for name in "ab")
    assert (one.checksum, one.version) == (other.checksum, "v0001")
    assert other.version == "v0002"


def test_activation_and_rollback(url: str, tmp_path: Path) -> None:
    registry = Registry(url)
    for name in "abc":
        versions.publish(url, tmp_path / name)
    with pytest.raises(ModelsError, match="no version is active; leitong models activate v0003"):
        registry.read()
    for name in ("v0001", "v0003", "v0003", "v0002"):
        registry.activate(name)
    assert registry.active() == Active("v0002", ("v0001", "v0003", "v0002"))
    assert registry.read().version == registry.handle().version == "v0002"
    assert [registry.rollback(), registry.rollback()] == ["v0003", "v0001"]
    assert registry.active() == Active("v0001", ("v0001",))
    with pytest.raises(ModelsError, match="no other version before"):
        registry.rollback()


def test_a_version_that_is_not_there(url: str, tmp_path: Path) -> None:
    registry = Registry(url)
    with pytest.raises(ModelsError, match="no such version; there is none yet: leitong train"):
        registry.read("v0001")
    with pytest.raises(ModelsError, match="no version is active; leitong train"):
        registry.read()
    versions.publish(url, tmp_path / "a")
    with pytest.raises(ModelsError, match="there are v0001"):
        registry.activate("v0007")
    with pytest.raises(ModelsError, match="is no version"):
        registry.activate("../v0001")
    assert registry.active() == Active()


def test_a_damaged_version_is_not_activated(url: str, tmp_path: Path) -> None:
    registry = Registry(url)
    for name in "ab":
        versions.publish(url, tmp_path / name)
        registry.activate(registry.versions()[-1])
    with fsspec.open(f"{url}/v0001/channel-01/vectors.npy", "r+b") as file:
        file.seek(200)
        file.write(b"\0\1\2\3")
    for act in (lambda: registry.activate("v0001"), registry.rollback):
        with pytest.raises(ModelsError, match=r"v0001/channel-01/vectors\.npy: is not the file"):
            act()
    assert registry.active().active == "v0002"
    with fsspec.open(f"{url}/v0002/fallback/idf.npy", "wb") as file:
        file.write(b"short")
    with pytest.raises(ModelsError, match="publish the version again"):
        registry.verify()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"active": "v0001"}',
        b'{"active": "v0001", "history": []}',
        b'{"active": "v0001", "history": ["v0001", "v0002"]}',
        b'{"active": "../x", "history": ["../x"]}',
        b'{"active": 1, "history": [1]}',
        b'{"active": null, "history": null}',
    ],
)
def test_a_bad_pointer_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "active.json").write_bytes(content)
    with pytest.raises(ModelsError, match=r"active\.json: does not say which version is active"):
        Registry(str(tmp_path)).read()


def test_a_manifest_of_another_version_is_told(tmp_path: Path) -> None:
    versions.publish(str(tmp_path / "m"), tmp_path / "a")
    (tmp_path / "m" / "v0001").rename(tmp_path / "m" / "v0005")
    with pytest.raises(ModelsError, match="is the manifest of v0001"):
        Registry(str(tmp_path / "m")).read("v0005")


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match="cannot be opened"):
        Registry("nosuchscheme://models")
    (tmp_path / "file").touch()
    with pytest.raises(ModelsError, match="file: cannot be written"):
        versions.publish(str(tmp_path / "file"), tmp_path / "s")


def test_a_publisher_that_died_leaves_no_version(tmp_path: Path) -> None:
    url = f"memory://{tmp_path}/m"
    versions.publish(url, tmp_path / "a")
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"{tmp_path}/m/v0002/claim", b"somebody")
    memory.pipe_file(f"{tmp_path}/m/v0002/fallback/idf.npy", b"half")
    assert Registry(url).versions() == ["v0001"]
    assert versions.publish(url, tmp_path / "b").version == "v0003"
    assert Registry(url).versions() == ["v0001", "v0003"]


def test_files_that_changed_before_publishing_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    made = [versions.learned(None, versions.words(20))]
    finish = building.write_version(
        tmp_path / "s", versions.STOP_WORDS, made, building.Version(Ranking())
    )
    (tmp_path / "s" / "stop_words.txt").write_text("else")
    with pytest.raises(ModelsError, match="is not the file"):
        Registry(str(tmp_path / "m")).publish(tmp_path / "s", finish)
    assert not (tmp_path / "m").exists()


def _publish(url: str, scratch: str, count: int) -> list[str]:
    return [versions.publish(url, Path(f"{scratch}-{n}")).version for n in range(count)]


def _activate(url: str, names: list[str]) -> None:
    for name in names:
        Registry(url).activate(name)


def test_publishers_do_not_clobber_each_other(tmp_path: Path) -> None:
    url = str(tmp_path / "models")
    with multiprocessing.get_context("fork").Pool(4) as pool:
        found = pool.starmap(_publish, [(url, str(tmp_path / f"s{n}"), 5) for n in range(4)])
        names = sorted(name for each in found for name in each)
        assert names == [f"v{n:04d}" for n in range(1, 21)] == Registry(url).versions()
        for name in names:
            assert Registry(url).verify(name).version == name
        pool.starmap(_activate, [(url, names[n::4]) for n in range(4)])
    history = Registry(url).active().history
    assert sorted(history) == names, "no activation is lost"
    assert not [name for name in Path(url).iterdir() if name.name.startswith(".publishing")]


def test_what_is_published_can_be_opened(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEITONG_HOME", str(tmp_path / "home"))
    versions.publish(url, tmp_path / "a")
    models = open_models(Registry(url).handle("v0001"))
    assert isinstance(models, Models)
    (found,) = models.describe([("体育", [], versions.words(9, 70))])
    assert len(found.keywords) == 9


def test_others_may_read_a_version_made_in_a_private_place(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    made = [versions.learned(None, versions.words(20))]
    finish = building.write_version(private, (), made, building.Version(Ranking()))
    before = os.umask(0o022)
    try:
        Registry(str(tmp_path / "m")).publish(private, finish)
    finally:
        os.umask(before)
    found = tmp_path / "m" / "v0001"
    assert {path.stat().st_mode & 0o777 for path in found.rglob("*")} == {0o755, 0o644}
    assert found.stat().st_mode & 0o777 == 0o755


def test_the_pointer_is_as_documented(tmp_path: Path) -> None:
    url = str(tmp_path / "m")
    versions.publish(url, tmp_path / "a")
    Registry(url).activate("v0001")
    said = orjson.loads((tmp_path / "m" / "active.json").read_bytes())
    assert said == {"active": "v0001", "history": ["v0001"]}
