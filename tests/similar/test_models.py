"""One version applied: descriptions, handles, and what is mapped."""

import math
import multiprocessing
import pickle
import random
from collections import Counter
from hashlib import blake2b
from pathlib import Path

import fsspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import ModelsError
from streaming.similar.description import SCALE, Description
from streaming.similar.models import ChannelWords, Handle, Models, open_models
from streaming.similar.registry import Registry
from streaming.similar.scoring import Ranking
from streaming.similar.tables import FILES
from tests.similar import versions

LETTERS = [*versions.words(260), "我们", "的", "!!", "A1", "a1", "\ud800x"]
article = st.tuples(
    st.sampled_from(["体育", "财经", ""]),
    st.lists(st.sampled_from(LETTERS), max_size=6),
    st.lists(st.sampled_from(LETTERS), max_size=120),
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models")
    versions.publish(str(place / "all"), place / "scratch")
    return place / "all" / "v0001"


def drawn(count: int, seed: int = 1) -> list[ChannelWords]:
    draw = random.Random(seed)
    return [
        (
            draw.choice(["体育", "财经"]),
            draw.choices(LETTERS, k=draw.randint(0, 8)),
            draw.choices(LETTERS, k=draw.randint(0, 200)),
        )
        for _ in range(count)
    ]


def encoded(descriptions: list[Description]) -> list[bytes]:
    return [each.encode() for each in descriptions]


def test_a_description_does_not_depend_on_the_batch(directory: Path) -> None:
    models = Models.open(directory)

    @given(st.lists(article, min_size=1, max_size=6), st.randoms())
    def check(articles: list[ChannelWords], order: random.Random) -> None:
        together = encoded(models.describe(articles))
        assert together == [encoded(models.describe([each]))[0] for each in articles]
        mixed = list(range(len(articles)))
        order.shuffle(mixed)
        again = encoded(Models.open(directory).describe([articles[place] for place in mixed]))
        assert again == [together[place] for place in mixed]

    check()


def test_descriptions_are_what_they_promise(directory: Path) -> None:
    models = Models.open(directory)

    @given(article)
    def check(one: ChannelWords) -> None:
        (found,) = models.describe([one])
        assert found.encode() == Description.decode(found.encode()).encode()
        assert len(found.keywords) <= 50
        assert (np.diff(found.keywords.astype(object)) > 0).all()
        assert (found.weights > 0).all()
        if len(found.weights):
            length = math.sqrt(int((found.weights.astype(int) ** 2).sum()))
            assert length == pytest.approx(SCALE, abs=8)
        if not found.vector.any():
            assert found.cells == ()
        else:
            assert len(found.cells) == (3 if one[0] == "体育" else 1)

    check()


def test_keywords_weigh_what_the_formula_says(directory: Path) -> None:
    models = Models.open(directory)
    a, b, c = versions.words(3)
    unseen = "天外来客"
    body = ["我们", b, "的", a, a, unseen, *[b] * 3]
    (found,) = models.describe([("财经", [c, a, "因为"], body)])

    def by_hand(count: int, place: int, title: int, idf: float) -> float:
        term = (1 + math.log(count)) * (1 + 3 * math.exp(-place / 25)) if count else 0.0
        return (term + 2 * title) * math.pow(idf, 1.5)

    expected = {
        a: by_hand(2, 1, 1, math.log(100 / 1)),
        b: by_hand(4, 0, 0, math.log(100 / 2)),
        c: by_hand(0, 0, 1, math.log(100 / 3)),
        unseen: by_hand(1, 3, 0, math.log(100 / 0.5)),
    }
    length = math.sqrt(sum(weight**2 for weight in expected.values()))
    hashes = {
        int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big"): word
        for word in expected
    }
    weights = {
        hashes[key]: weight
        for key, weight in zip(found.keywords.tolist(), found.weights.tolist(), strict=True)
    }
    assert weights == {word: round(w / length * SCALE) for word, w in expected.items()}


def test_only_the_fifty_heaviest_words_are_kept(directory: Path) -> None:
    models = Models.open(directory)
    body = versions.words(90)
    (all_of_them,) = models.describe([("财经", [], body)])
    assert len(all_of_them.keywords) == 50
    tables = models.tables("财经")
    rarity = {word: float(tables.rarity(models._hashes.of([word]))[0]) for word in body}
    weight = {
        word: (1 + 3 * math.exp(-place / 25)) * rarity[word] ** 1.5
        for place, word in enumerate(body)
    }
    best = sorted(body, key=lambda word: -weight[word])[:50]
    assert set(all_of_them.keywords.tolist()) == set(models._hashes.of(best).tolist())


def test_the_vector_is_the_weighted_sum_without_the_mean(directory: Path) -> None:
    models = Models.open(directory)
    tables = models.tables("体育")
    for channel, title, body in drawn(30):
        (found,) = models.describe([("体育", title, body)])
        total = np.zeros(versions.DIMENSIONS)
        for key, weight in zip(found.keywords, found.weights, strict=True):
            for place in np.flatnonzero(tables.words == key):
                total += int(weight) * tables.vectors[place].astype(float)
        if not total.any():
            assert not found.vector.any(), channel
            continue
        exact = total / np.linalg.norm(total) - tables.mean
        np.testing.assert_allclose(found.vector, exact / np.linalg.norm(exact) * SCALE, atol=0.51)
        nearness = tables.cells.astype(int) @ found.vector.astype(int)
        assert list(found.cells) == sorted(range(7), key=lambda cell: -nearness[cell])[:3]


def test_channels_without_a_model_have_the_fallback(directory: Path) -> None:
    models = Models.open(directory)
    body = versions.words(30, 150)
    own, other, nobody = models.describe([(channel, [], body) for channel in ("体育", "财经", "")])
    assert other.encode() == nobody.encode() != own.encode()


def test_in_newsroom_scope_all_have_the_fallback(tmp_path: Path) -> None:
    versions.publish(str(tmp_path / "m"), tmp_path / "s", ranking=Ranking(scope="newsroom"))
    models = Models.open(tmp_path / "m" / "v0001")
    one, other = models.describe([(channel, [], versions.words(30)) for channel in ("体育", "x")])
    assert one.encode() == other.encode()


def test_textrank_takes_the_place_of_the_count(tmp_path: Path) -> None:
    versions.publish(str(tmp_path / "m"), tmp_path / "s", keywords="textrank")
    versions.publish(str(tmp_path / "m"), tmp_path / "t", keywords="tfidf")
    ranked, counted = (Models.open(tmp_path / "m" / name) for name in ("v0001", "v0002"))
    assert ranked.checksum != counted.checksum
    a, b = versions.words(2)
    text: ChannelWords = ("x", [], [a, b])
    # Two words beside each other have rank 1 each, as words have that occur once.
    assert encoded(ranked.describe([text])) == encoded(counted.describe([text]))
    more: ChannelWords = ("x", [], [*versions.words(8), *[a, b] * 3])
    assert encoded(ranked.describe([more])) != encoded(counted.describe([more]))


def test_tables_are_mapped_and_read_only(directory: Path) -> None:
    models = Models.open(directory)
    assert not models._tables, "opening maps nothing"
    tables = models.tables("体育")
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    for name in FILES:
        assert str(directory / "channel-01" / name) in maps
    with pytest.raises(ValueError, match="read-only"):
        tables.vectors[0, 0] = 1


def test_models_travel_as_a_handle(directory: Path) -> None:
    models = Models.open(directory)
    sent = pickle.dumps(models)
    assert len(sent) < 400
    received = pickle.loads(sent)  # noqa: S301 - our own bytes
    assert received is open_models(models.handle)
    assert (received.version, received.checksum) == ("v0001", models.checksum)
    assert received.ranking == Ranking()


def test_every_process_describes_alike(directory: Path) -> None:
    models = Models.open(directory)
    articles = drawn(40)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(_describe, (models.handle, articles))
    assert there == encoded(models.describe(articles))


def _describe(handle: Handle, articles: list[ChannelWords]) -> list[bytes]:
    return encoded(open_models(handle).describe(articles))


def test_versions_elsewhere_are_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEITONG_HOME", str(tmp_path / "home"))
    url = f"memory://{tmp_path}/models"
    told = versions.publish(url, tmp_path / "s")
    handle = Registry(url).handle("v0001")
    assert handle.location == f"{url}/v0001"
    found = open_models(handle)
    local = tmp_path / "home" / "models" / told.checksum
    assert encoded(found.describe(drawn(9))) == encoded(Models.open(local).describe(drawn(9)))
    fsspec.filesystem("memory").rm(f"{tmp_path}/models", recursive=True)
    open_models.cache_clear()
    assert encoded(open_models(handle).describe(drawn(9))) == encoded(found.describe(drawn(9)))
    assert [path.name for path in local.parent.iterdir() if path.is_dir()] == [told.checksum]


def test_a_damaged_file_elsewhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEITONG_HOME", str(tmp_path / "home"))
    url = f"memory://{tmp_path}/models"
    versions.publish(url, tmp_path / "s")
    handle = Registry(url).handle("v0001")
    with fsspec.open(f"{url}/v0001/fallback/idf.npy", "wb") as file:
        file.write(b"damaged")
    with pytest.raises(ModelsError, match=r"fallback/idf\.npy: is not the file that was published"):
        open_models(handle)
    assert not list((tmp_path / "home" / "models").glob("[!.]*"))


def test_another_version_at_the_place_is_refused(tmp_path: Path) -> None:
    told = versions.publish(str(tmp_path / "m"), tmp_path / "s")
    with pytest.raises(ModelsError, match="another version than the one that was chosen"):
        open_models(Handle("v0001", "0" * 64, str(tmp_path / "m" / "v0001")))
    assert told.checksum != "0" * 64


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("manifest.json", b"{", "is no JSON"),
        ("manifest.json", b'{"format": 2}', "has format 2, this program reads 1"),
        ("manifest.json", b'{"format": 1}', "Field required"),
        ("manifest.json", None, "cannot be read"),
        ("stop_words.txt", None, "cannot be read"),
        ("fallback/words.npy", None, "is not there"),
        ("fallback/words.npy", b"\x93NUMPY", "is no array"),
        ("fallback/words.npy", b"", "is no array"),
    ],
)
def test_damage_is_told(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    versions.publish(str(tmp_path / "m"), tmp_path / "s")
    broken = tmp_path / "m" / "v0001" / name
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(ModelsError, match=said) as told:
        Models.open(tmp_path / "m" / "v0001").describe(drawn(3))
    assert broken.name in str(told.value)


def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    versions.publish(str(tmp_path / "m"), tmp_path / "s")
    place = tmp_path / "m" / "v0001" / "fallback"
    np.save(place / "idf.npy", np.ones(3, np.float32))
    with pytest.raises(ModelsError, match="do not belong together"):
        Models.open(place.parent).describe(drawn(3))
    np.save(place / "idf_words.npy", np.arange(3, dtype=np.uint64))
    with pytest.raises(ModelsError, match="not those of the manifest"):
        Models.open(place.parent).describe(drawn(3))
    np.save(place / "vectors.npy", np.ones((200, 2), np.float64))
    with pytest.raises(ModelsError, match="holds float64"):
        Models.open(place.parent).describe(drawn(3))


def test_a_rule_changed_in_the_manifest_is_noticed(tmp_path: Path) -> None:
    versions.publish(str(tmp_path / "m"), tmp_path / "s")
    path = tmp_path / "m" / "v0001" / "manifest.json"
    told = path.read_text(encoding="utf-8")
    path.write_text(told.replace('"size": 12', '"size": 13'), encoding="utf-8")
    with pytest.raises(ModelsError, match="was changed after it was published"):
        Models.open(path.parent)


def test_drawn_articles_are_not_all_alike(directory: Path) -> None:
    found = Counter(encoded(Models.open(directory).describe(drawn(50))))
    assert len(found) > 40
