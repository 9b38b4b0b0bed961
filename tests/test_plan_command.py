"""``leitong plan`` as a user meets it."""

import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming.settings import load
from streaming.store.opening import open_index
from tests.indexed import publish, told
from tests.offline.made import article, sentences, write


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, err = told(capsys, "plan", "--json", *arguments)
    assert code == 0, err
    return orjson.loads(out)


def articles(directory: Path, count: int = 600) -> Path:
    rng = random.Random(1)
    rows = [article(f"a{n}", sentences(rng, 10), n) for n in range(count)]
    return write(directory / "articles.jsonl", rows)


def test_a_plan_is_shown(no_settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(
        capsys, "plan", "--articles", "10000000", "--per-day", "5000", "--window", "90d"
    )
    assert (code, err) == (0, "")
    for expected in ("4 choose 1", "5 choose 2", "6 choose 3", "candidates", "look-up by bands",
                     "10,000,000 articles, 450,000 of them in the window", "after 2,000 days",
                     "presplit: 16 regions", "\\x10", "bucket"):  # fmt: skip
        assert expected in out
    assert not list(no_settings.iterdir())


def test_one_document_says_it_all(no_settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert no_settings
    found = document(capsys, "--articles", str(2**37), "--scope", "channel")
    assert found["articles"] == found["in_window"] == 2**37
    assert (found["scope"], found["store"]) == ("channel", "hbase")
    assert list(found["schemes"]) == ["4 choose 1", "5 choose 2", "6 choose 3"]
    for bands, scheme in zip((4, 10, 20), found["schemes"].values(), strict=True):
        assert scheme["gets_per_article"]["bucket"] == bands
        per_article, per_look_up = (
            scheme[f"candidates_per_{what}"]["mean"] for what in ("article", "look_up")
        )
        assert per_article == pytest.approx(bands * per_look_up)
        assert len(scheme["presplit"]) + 1 == 256
        assert scheme["bytes"] == pytest.approx(
            sum(table["bytes"] for table in scheme["tables"].values())
        )


def test_a_rate_alone_is_an_index_that_forgets(
    no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert no_settings
    found = document(capsys, "--per-day", "1000", "--for", "sqlite")
    assert (found["articles"], found["in_window"]) == (121_000, 90_000)
    assert found["schemes"]["4 choose 1"]["presplit"] == []
    kept = document(capsys, "--per-day", "1000", "--set", "store.retention=200d")
    assert kept["articles"] == 200_000


def test_a_newsroom_is_measured_and_its_figures_are_kept(
    no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = articles(no_settings)
    measured = document(
        capsys, "--articles", "1000000", "--from", str(file), "--save-profile", "ours.json"
    )
    assert measured["figures"] == "articles.jsonl"
    again = document(capsys, "--articles", "1000000", "--profile", "ours.json")
    assert again["schemes"]["4 choose 1"]["candidates_per_article"] == pytest.approx(
        measured["schemes"]["4 choose 1"]["candidates_per_article"], rel=0.01
    )
    assert again != document(capsys, "--articles", "1000000")
    text = (no_settings / "ours.json").read_text(encoding="utf-8")
    assert not any("\u4e00" <= each <= "\u9fff" for each in text), "a text was kept"


def test_an_index_is_measured(no_settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:{no_settings / 'leitong.db'}"
    settings = load(overrides=[("store.url", url, "test")], environment={}).settings
    rng = random.Random(2)
    publish(
        no_settings / "log",
        settings,
        [
            {"article_id": f"a{n}", "title": "", "body": "".join(sentences(rng, 10))}
            for n in range(600)
        ],
    )
    found = document(capsys, "--articles", "600", "--store", url)
    assert found["store"] == "sqlite"
    assert found["figures"] == url
    rows = {
        name: sum(1 for _ in open_index(settings).scan(name))
        for name in ("article", "head", "bucket")
    }
    tables = found["schemes"]["4 choose 1"]["tables"]
    open_index(settings).close()
    assert {name: tables[name]["rows"] for name in rows} == pytest.approx(rows, rel=0.05)


def test_articles_without_times_are_told_of(
    no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(3)
    rows = [
        {"id": f"a{n}", "channel": "news", "body": "".join(sentences(rng, 6))} for n in range(600)
    ]
    file = write(no_settings / "untimed.jsonl", rows)
    code, _, err = told(capsys, "plan", "--articles", "1000", "--from", str(file))
    assert code == 0
    assert "do not say when they were published" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "--articles N or --per-day R"),
        (("--articles", "0"), "--articles"),
        (("--per-day", "0"), "--per-day"),
        (("--articles", "9", "--window", "soon"), "no duration"),
        (("--articles", "9", "--from", "few.jsonl"), "are too few to plan by"),
        (("--articles", "9", "--profile", "few.jsonl"), "not a profile of articles"),
        (("--articles", "9", "--profile", "few.jsonl", "--from", "few.jsonl"), "three ways"),
        (("--articles", "9", "--store", "sqlite:absent.db"), "there is no index"),
        (("--articles", "9", "--set", "matching.k=9"), "matching.k"),
        (
            ("--articles", "9", "--set", "matching.k=4", "--set", "matching.blocks=5"),
            "no scheme is exact within 4 bits",
        ),
        (("--articles", "9", "--save-profile", "absent/ours.json"), "cannot be written"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    no_settings: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    articles(no_settings, 20).rename(no_settings / "few.jsonl")
    code, out, err = told(capsys, "plan", *arguments)
    assert code in (1, 2)
    assert expected in err
    assert "Traceback" not in err + out
