"""``leitong similar`` over SQLite, a file log and small models, as a user meets it."""

import math
import shutil
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from streaming.cli import main
from streaming.engine.put import TEXTS
from streaming.errors import StoreError
from streaming.fingerprints.bands import hamming
from streaming.query.in_force import name_of
from streaming.settings import Settings, load
from streaming.similar.models import open_models
from streaming.similar.registry import Registry
from streaming.similar.scoring import ONE, Ranking, score
from streaming.similar.words import word_hash
from streaming.store import articles, keys, models
from streaming.store.opening import open_index
from streaming.store.similar import read_lists
from streaming.store.sqlite import SQLiteStore
from tests import indexed
from tests.indexed import build, everything, publish
from tests.listed import BODY, EVENTS, HEAT, SNOW, TEXT, version, words_of


@pytest.fixture(autouse=True)
def here(with_lists: Path) -> Path:
    """A working directory with an index of `EVENTS` that has lists."""
    return with_lists


MODELS = ("--models", "models")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    return indexed.told(capsys, "similar", *arguments)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = told(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    (line,) = out.splitlines()
    found: dict[str, Any] = orjson.loads(line)
    return found


def listed(found: dict[str, Any]) -> list[tuple[str, float]]:
    assert [each["rank"] for each in found["similar"]] == [*range(1, len(found["similar"]) + 1)]
    return [(each["article_id"], each["score"]) for each in found["similar"]]


def described(channel: str, title: str, body: str) -> Any:
    (found,) = open_models(Registry("models").handle()).describe(
        [(channel, TEXT.words(title), TEXT.words(body))]
    )
    return found


def test_the_served_list_is_shown_and_needs_no_models(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_index(Settings())
    name = models.read(store).followed or ""
    assert name == name_of(Registry("models").handle())
    served = read_lists(store, name, ["a03"])["a03"]
    assert len(served) == 3
    found = answer(capsys, "a03")
    assert listed(found) == sorted(
        ((other, points / ONE) for other, points in served.items()), key=lambda each: -each[1]
    )
    assert (found["by"], found["model"], found["title"]) == ("lists", name, "冷空气来了")
    assert (found["channel"], found["published_at"]) == ("go", "2026-01-05T00:00:00.000Z")
    copy, snow, _ = found["similar"]
    assert (copy["relation"], copy["duplicate_of"]) == ("duplicate", "a03")
    assert (snow["relation"], snow["duplicate_of"], snow["distance"]) == (None, None, None)
    assert snow["published_at"] == "2026-01-04T00:00:00.000Z"
    assert snow["first_seen"].startswith("2026-01-05T00:02")
    assert [each["keywords"] for each in found["similar"]] == [None] * 3
    assert listed(answer(capsys, "a03", "-n", "1")) == listed(found)[:1]
    assert not (here / "cache").exists(), "a list that is served asks for no view"


def test_shared_keywords_are_those_that_weigh_most(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "c01", *MODELS)
    own = described("go", "大雪", SNOW)
    other = described("go", "冷空气来了", BODY)
    weights = dict(zip(own.keywords.tolist(), own.weights.tolist(), strict=True))
    theirs = dict(zip(other.keywords.tolist(), other.weights.tolist(), strict=True))
    products = {word: weights[word] * theirs[word] for word in weights.keys() & theirs.keys()}
    heaviest = sorted(products, key=lambda word: (-products[word], word))[:6]
    shown = {each["article_id"]: each["keywords"] for each in found["similar"]}
    assert [word_hash(word) for word in shown["a03"]] == heaviest
    assert "冷空气" in shown["a03"]
    assert len(products) > len(shown["a03"]) == 6
    code, out, _ = told(capsys, "c01", *MODELS)
    assert code == 0
    assert f"     both: {' '.join(shown['a03'])}" in out.splitlines()


def test_the_page_tells_every_article_and_nothing_acts_on_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = told(capsys, "a03")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "a03  冷空气来了"
    assert lines[1].startswith("its list, under v0001-")
    (copy,) = (line for line in lines if "  b17  " in line)
    assert copy.startswith("  1  0.")
    assert copy.endswith("b17  (go)  2026-01-05T00:01:00.000Z  duplicate of a03")
    assert "     降温31m\\ue000通知" in lines
    code, out, _ = told(capsys, "b17", *MODELS)
    assert "  (go, agency)  2026-01-05T00:00:00.000Z" in out
    for options in ((), ("--json",), MODELS, ("--by", "simhash")):
        _, out, _ = told(capsys, "a03", *options)
        active = {unicodedata.category(each) for each in out.replace("\n", "")}
        assert not {"Cc", "Cf", "Co"} & active
        assert "d\\u200f2" in out


@pytest.mark.parametrize("by", ["vector", "keywords"])
def test_parts_of_the_score_are_those_of_each_pair(
    capsys: pytest.CaptureFixture[str], by: str
) -> None:
    texts = {"a03": ("冷空气来了", BODY), "c01": ("大雪", SNOW), "d\u200f2": ("供暖", HEAT)}
    texts["b17"] = (str(EVENTS[1]["title"]), str(EVENTS[1]["body"]))
    part = Ranking(vector_weight=1.0 if by == "vector" else 0.0, half_life_ms=0)
    pairs = {
        name: score(part, described("go", *texts["a03"]), described("go", *text), 0) / ONE
        for name, text in texts.items()
        if name != "a03"
    }
    found = answer(capsys, "a03", "--by", by, *MODELS)
    near = {name: points for name, points in pairs.items() if points > 0}
    assert listed(found) == sorted(near.items(), key=lambda each: -each[1])
    assert found["model"].startswith("v0001-")
    assert found["similar"][0]["keywords"]
    code, out, _ = told(capsys, "a03", "--by", by, *MODELS)
    assert code == 0
    assert f"by {by}{'s' if by == 'vector' else ''} alone, under v0001-" in out


def test_tfidf_weighs_every_word_of_both_texts(capsys: pytest.CaptureFixture[str]) -> None:
    tables = open_models(Registry("models").handle()).tables("go")

    def weights(title: str, body: str) -> dict[str, float]:
        counts = Counter(words_of(title) + words_of(body))
        hashes = np.array([word_hash(word) for word in counts], np.uint64)
        idf = dict(zip(counts, tables.rarity(hashes).tolist(), strict=True))
        return {word: n * idf[word] for word, n in counts.items()}

    own, other = weights("冷空气来了", BODY), weights("大雪", SNOW)
    product = sum(weight * other.get(word, 0) for word, weight in own.items())
    cosine = product / math.hypot(*own.values()) / math.hypot(*other.values())
    found = dict(listed(answer(capsys, "a03", "--by", "tfidf", *MODELS)))
    assert found["c01"] == pytest.approx(cosine, abs=1e-6)
    assert next(iter(found)) == "b17"


def test_simhash_tells_bits_and_reaches_as_far_as_verdicts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = dict(articles.scan(open_index(Settings())))
    prints = {name: row.current.fingerprint for name, row in rows.items() if row.current}
    found = answer(capsys, "a03", "--by", "simhash")
    assert (found["model"], found["by"]) == (None, "simhash")
    bits = {each["article_id"]: each["distance"] for each in found["similar"]}
    own = prints.pop("a03")
    assert own is not None
    assert bits == {name: hamming(own, other or 0) for name, other in prints.items()}
    assert list(bits.values()) == sorted(bits.values())
    assert {each["score"] for each in found["similar"]} == {None}
    assert "e05" in bits, "it is in another channel of the same newsroom"
    _, out, _ = told(capsys, "a03", "--by", "simhash", "-n", "1")
    assert out.splitlines()[1:3] == [
        "by SimHash, in bits",
        f"  1  {bits['b17']:>2}  b17  (go)  2026-01-05T00:01:00.000Z  duplicate of a03",
    ]


def test_nothing_is_written_to_the_index_and_the_view_of_the_host_is_kept(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(open_index(Settings()))

    def refuse(*_: Any, **__: Any) -> None:
        raise StoreError("read-only")

    for write in ("mutate", "compare_and_put", "delete_rows", "ensure_tables", "drop_tables"):
        monkeypatch.setattr(SQLiteStore, write, refuse)
    for by in ("lists", "vector", "keywords", "simhash", "tfidf"):
        assert answer(capsys, "a03", "--by", by, *MODELS)["similar"]
    assert everything(open_index(Settings())) == before
    (view,) = (here / "cache" / "views").rglob("view.json")
    kept = listed(answer(capsys, "a03", "--by", "keywords", *MODELS))
    # Where it cannot be kept, it is made anew.
    shutil.rmtree(here / "cache" / "views")
    (here / "cache" / "views").write_text("no directory")
    assert listed(answer(capsys, "a03", "--by", "keywords", *MODELS)) == kept
    assert not view.exists()


def test_what_came_in_since_is_seen(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("a03", "--by", "keywords", *MODELS)
    assert "f06" not in dict(listed(answer(capsys, *asked)))
    settings = load(overrides=[("query.models", "models", "test")], environment={}).settings
    publish(here / "log", settings, [{"article_id": "f06", "title": "降温", "body": BODY}])
    assert "f06" in dict(listed(answer(capsys, *asked)))
    publish(here / "log", settings, [{"article_id": "f06", "event": "deleted"}])
    assert "f06" not in dict(listed(answer(capsys, *asked)))


def test_what_could_not_be_in_the_list_is_left_out(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(overrides=[("query.models", "models", "test")], environment={}).settings
    other = {"article_id": "p1", "title": "降温", "body": BODY, "channel": "php"}
    publish(here / "log", settings, [other])
    for by in ("vector", "keywords", "tfidf"):
        assert "p1" not in dict(listed(answer(capsys, "a03", "--by", by, *MODELS)))
    assert "p1" in dict(listed(answer(capsys, "a03", "--by", "simhash")))


def test_a_list_is_served_while_the_models_are_away(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("models")
    found = answer(capsys, "a03", *MODELS)
    assert len(found["similar"]) == 3
    assert found["warning"].startswith("shared keywords are left out: ")
    code, _, err = told(capsys, "a03", *MODELS)
    assert (code, err) == (0, f"warning: {found['warning']}\n")
    assert "name the models of leitong run with --models" in err


def test_lists_of_a_version_that_readers_do_not_follow_yet_are_not_shown(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version(here, "second", size=1)
    assert Registry("models").active().active == "v0002"
    assert answer(capsys, "a03", *MODELS)["model"].startswith("v0001-")
    assert answer(capsys, "a03", "--by", "vector", *MODELS)["model"].startswith("v0001-")


def test_without_their_texts_articles_are_listed_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    index = open_index(Settings())
    index.delete_rows(TEXTS, [keys.article("b17")])
    found = answer(capsys, "a03", *MODELS)
    assert len(found["similar"]) == 3
    assert (found["similar"][0]["title"], found["similar"][0]["keywords"]) == (None, None)
    assert found["similar"][1]["keywords"]
    assert "     text not kept" in told(capsys, "a03")[1].splitlines()
    assert "b17" not in dict(listed(answer(capsys, "a03", "--by", "tfidf", *MODELS)))
    index.delete_rows(TEXTS, [keys.article("a03")])
    found = answer(capsys, "a03", *MODELS)
    assert (found["title"], len(found["similar"])) == (None, 3)
    code, out, err = told(capsys, "a03", "--by", "tfidf", *MODELS)
    assert (code, out) == (1, "")
    assert "the text of 'a03' is not kept" in err
    assert "--by keywords" in err


def test_an_article_that_nothing_is_like_has_an_empty_list(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert answer(capsys, "e05")["similar"] == []
    _, out, _ = told(capsys, "e05")
    assert "nothing is like the article, or it was not ranked yet" in out
    _, out, _ = told(capsys, "e05", "--by", "keywords", *MODELS)
    assert "nothing in its scope and window" in out


def test_an_article_of_before_the_models_has_to_be_filled_in(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = here / "older"
    version(here, "first")
    url = f"sqlite:{build(here, EVENTS[:2]) / 'leitong.db'}"
    code, _, err = told(capsys, "a03", "--store", url)
    assert code == 1
    assert "no lists of similar articles yet: leitong run --models" in err
    overrides = [("store.url", url, "test"), ("query.models", str(here / "models"), "test")]
    settings = load(overrides=overrides, environment={}).settings
    shutil.rmtree(here / "log")
    late = [{"article_id": "z9", "title": "大雪", "body": SNOW}]
    publish(here / "log", settings, late)
    given = ("--store", url, "--models", str(here / "models"))
    code, _, err = told(capsys, "a03", "--by", "vector", *given)
    assert code == 1
    assert "'a03' is not described under v0001-" in err
    assert "leitong replay --vectors-only" in err


def test_within_channels_simhash_stays_in_the_channel(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "leitong.toml").write_text(
        '[store]\nurl = "sqlite:ch.db"\n[matching]\nscope = "channel"\n'
    )
    publish(here / "log", load().settings, [])
    found = answer(capsys, "a03", "--by", "simhash")
    assert {each["article_id"] for each in found["similar"]} == {"b17", "c01", "d\u200f2"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nobody",), "there is no article 'nobody' in the index"),
        (("gone",), "article 'gone' was deleted at 2026-01-05T00:06:00.000Z"),
        (("a03", "--by", "vector"), "no models: name them with --models"),
        (("a03", "--by", "tfidf", "--models", "none"), "readers follow the lists under v0001-"),
        (("a03", "--by", "sound"), "'sound' is not one of"),
        (("a03", "-n", "0"), "0 is not in the range"),
        ((), "Missing argument 'ARTICLE_ID'"),
        (("a03", "--by", "simhash", "--set", "matching.k=2"), "matching.k: 3 in the index, 2 now"),
        (("a03", "--store", "sqlite:new.db"), "there is no index"),
        (("a03", "--generation", "k2"), "there is no index of generation k2"),
    ],
)
def test_a_mistake_is_one_sentence_and_no_trace(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    code, out, err = told(capsys, *arguments)
    assert code != 0
    assert out == ""
    assert expected in err
    assert "Traceback" not in err


def test_a_text_without_a_word_is_like_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(overrides=[("query.models", "models", "test")], environment={}).settings
    publish(here / "log", settings, [{"article_id": "dots", "title": "", "body": "。。。！"}])
    code, _, err = told(capsys, "dots", "--by", "simhash")
    assert code == 1
    assert "'dots' has no fingerprint" in err
    assert answer(capsys, "dots", *MODELS)["similar"] == []
    assert answer(capsys, "dots", "--by", "tfidf", *MODELS)["similar"] == []


def test_an_index_that_was_never_used_has_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    main(["store", "init", "--store", "sqlite:empty.db"])
    code, _, err = told(capsys, "a03", "--store", "sqlite:empty.db")
    assert code == 1
    assert "there is no article 'a03' in the index" in err
