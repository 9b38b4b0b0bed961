"""``leitong models`` as a user meets it."""

from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streaming.similar.registry import Registry
from streaming.similar.scoring import Ranking
from tests.indexed import told
from tests.similar import versions


@pytest.fixture
def url(no_settings: Path) -> str:
    place = no_settings / "models"
    versions.publish(str(place), no_settings / "a")
    versions.publish(str(place), no_settings / "b", ranking=Ranking(size=5, half_life_ms=0))
    return str(place)


def saved(directory: Path, dimensions: int = 3) -> Path:
    """A model as Spark saves it, without Spark."""
    (directory / "metadata").mkdir(parents=True)
    (directory / "data").mkdir()
    document = {
        "class": "org.apache.spark.ml.feature.Word2VecModel",
        "paramMap": {"vectorSize": dimensions},
        "defaultParamMap": {"vectorSize": 100},
    }
    (directory / "metadata" / "part-00000").write_bytes(orjson.dumps(document) + b"\n")
    vectors = pa.array([[1.0] * dimensions, [0.5] * dimensions], pa.list_(pa.float32()))
    pq.write_table(
        pa.table({"word": ["数据", "集群"], "vector": vectors}),
        directory / "data" / "part-00000.snappy.parquet",
    )
    return directory


def test_versions_are_listed_and_switched(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "models", "activate", "v0001", "--models", url) == (
        0,
        "v0001 is active\n",
        "",
    )
    assert told(capsys, "models", "activate", "v0002", "--models", url)[1] == (
        "v0002 is active; before it was v0001\n"
    )
    code, out, _ = told(capsys, "models", "list", "--models", url)
    assert code == 0
    lines = out.splitlines()
    assert lines[1].startswith("v0001          ")
    assert lines[2].startswith("v0002    active")
    assert told(capsys, "models", "rollback", "--models", url)[1] == (
        "v0001 is active again, in place of v0002\n"
    )
    code, out, err = told(capsys, "models", "rollback", "--models", url)
    assert (code, out) == (1, "")
    assert "there was no other version before" in err
    listed = orjson.loads(told(capsys, "models", "list", "--json", "--models", url)[1])
    assert [(each["version"], each["active"]) for each in listed] == [
        ("v0001", True),
        ("v0002", False),
    ]


def test_a_version_is_shown_and_verified(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "models", "show", "v0002", "--verify", "--models", url)
    assert code == 0
    assert "within the channel, window 30d, half-life 0s, vectors 0.1, 5 articles" in out
    assert "(fallback)" in out
    assert "体育" in out
    assert "all 15 files are as they were published" in out
    document = orjson.loads(told(capsys, "models", "show", "v0002", "--json", "--models", url)[1])
    assert document["ranking"]["size"] == 5
    code, _, err = told(capsys, "models", "show", "--models", url)
    assert code == 1
    assert "no version is active; leitong models activate v0002" in err
    (Path(url) / "v0002" / "fallback" / "mean.npy").write_bytes(b"")
    code, _, err = told(capsys, "models", "show", "v0002", "--verify", "--models", url)
    assert code == 1
    assert "fallback/mean.npy: is not the file that was published" in err


def test_versions_are_compared(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "models", "compare", "v0001", "v0002", "--models", url)
    assert code == 0
    assert "same files" in out
    assert "ranking.half_life_ms  1209600000  0" in out
    document = orjson.loads(
        told(capsys, "models", "compare", "v0001", "v0002", "--json", "--models", url)[1]
    )
    assert document["same"] is False
    assert document["models"][0]["nearest"] == 1
    out = told(capsys, "models", "compare", "v0001", "v0001", "--models", url)[1]
    assert "hold the same models and rules" in out


def test_nothing_yet(no_settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = str(no_settings / "none")
    assert told(capsys, "models", "list", "--models", url)[1] == (
        "there is no version yet; leitong train makes the first\n"
    )
    code, _, err = told(capsys, "models", "activate", "v0001", "--models", url)
    assert code == 1
    assert "there is no such version" in err


def test_saved_models_are_imported(no_settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = str(no_settings / "models")
    directory = saved(no_settings / "channel_18_python.word2vec")
    code, out, err = told(
        capsys, "models", "import", str(directory), f"体育={saved(no_settings / 'x')}",
        "--models", url, "--activate", "--size", "7", "--window", "2d",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "python: 2 words, 3 dimensions" in out
    assert "active  v0001" in out
    manifest = Registry(url).verify()
    assert [model.channel for model in manifest.models] == [None, "python", "体育"]
    assert (manifest.ranking.size, manifest.ranking.window_ms) == (7, 2 * 86_400_000)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.word2vec"], "its name does not say of which channel it is"),
        (["x", "y", "--channel", "a"], "--channel is for one DIRECTORY"),
        (["a=x"], "is no Word2VecModel as Spark saves it"),
        (["a=ok", "a=ok"], "two directories are of one channel"),
        (["a=ok", "--fallback", "b"], "is none of those imported"),
        (["a=ok", "b=wide"], "3 and 4 dimensions"),
        (["a=ok", "--articles", "none.jsonl"], "there is no such file"),
        (["a=ok", "--window", "soon"], "is no duration"),
    ],
)
def test_what_cannot_be_imported_is_told(
    no_settings: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    saved(no_settings / "ok")
    saved(no_settings / "wide", 4)
    code, _, err = told(capsys, "models", "import", *arguments, "--models", "models")
    assert code in {1, 2}
    assert said in err
    assert not (no_settings / "models").exists()
