"""The report of a training: its figures, and a page that needs nothing else."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from xml.dom import minidom

import numpy as np
import orjson
import pytest

from streaming.offline import train_report
from streaming.offline.train_page import page
from streaming.offline.train_report import ModelReport, TrainReport, report_of
from streaming.similar import building
from streaming.similar.description import rounded
from tests.similar import versions

WORDS = versions.words(40)


def report(channel: str | None = "体育", cells: int = 1, articles: int = 30) -> ModelReport:
    learned = replace(
        versions.learned(channel, WORDS, cells=cells, probes=min(2, cells)),
        coverage=0.9,
        recall=0.995 if cells > 1 else None,
    )
    rng = np.random.default_rng(4)
    vectors = rounded(rng.normal(size=(articles, versions.DIMENSIONS)))
    channels = [("<b>财经", "体育")[n % 2] for n in range(articles)]
    own = {word: 5 + 50 * (word == WORDS[7]) for word in WORDS[:30]}
    everywhere = {word: own.get(word, 0) + 100 for word in WORDS}
    sizes = [7] * cells if cells > 1 else []
    return report_of(learned, own, everywhere, (vectors, channels), sizes).lasting(1.5)


def training(*models: ModelReport) -> TrainReport:
    return TrainReport(100, 3, {"not_json": 2}, models, {"read": 1.0, "learn": 2.5})


def test_typical_words_are_more_frequent_here_than_elsewhere() -> None:
    found = report()
    assert found.typical[0].word == WORDS[7]
    assert len(found.typical) == 12
    for each in found.typical:
        assert len(set(each.nearest)) == 8
        assert each.word not in each.nearest


def test_words_are_explained_with_frequent_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_report, "_FAMILIAR", 10)
    found = report(cells=5)
    frequent, typical = set(WORDS[-10:]), {each.word for each in found.typical}
    for each in found.typical:
        assert set(each.nearest) <= frequent | typical
    for name in found.map.groups:
        assert len(set(name.split(" ")) & frequent) == 3


def test_a_cell_is_named_by_the_word_in_its_middle() -> None:
    learned = versions.learned("x", WORDS)
    directions = learned.vocabulary.vectors / np.linalg.norm(
        learned.vocabulary.vectors, axis=1, keepdims=True
    )
    centres = rounded(directions[[3, 20, 31]] - learned.tables.mean)
    celled = replace(learned, tables=building.recut(learned.tables, centres, 1), recall=1.0)
    found = report_of(celled, {}, {}, (centres, ["x"] * 3), [1, 1, 1])
    names = [name.split(" ")[0] for name in found.map.groups]
    assert names == [learned.vocabulary.words[row] for row in (3, 20, 31)]


def test_names_on_the_map_do_not_cover_each_other() -> None:
    found = page(training(report(cells=30, articles=200)), "x", "now")
    names = re.findall(r'<text class="name" x="([-\d.]+)" y="([-\d.]+)">([^<]+)</text>', found)
    assert 5 < len(names) < 30
    assert {name for *_, name in names} <= set(WORDS)
    boxes = [(float(x), float(y), 6 * len(name)) for x, y, name in names]
    for (x, y, half), (other, line, width) in combinations(boxes, 2):
        assert abs(x - other) >= half + width or abs(y - line) >= 12
    for x, y, half in boxes:
        assert half < x < 520 - half
        assert 12 <= y < 380


def test_the_map_groups_by_cell_or_by_channel() -> None:
    by_channel, by_cell = report().map, report(cells=5).map
    assert by_channel.groups == ("<b>财经", "体育")
    assert by_channel.centres == ()
    assert len(by_cell.centres) == len(by_cell.groups) == 5
    for drawn in (by_channel, by_cell):
        assert len(drawn.points) == 30
        assert {group for *_, group in drawn.points} <= set(range(len(drawn.groups)))
        assert 0 < drawn.share < 1
    xs, ys = (np.array([point[axis] for point in by_channel.points]) for axis in (0, 1))
    assert xs.var() >= ys.var()
    assert abs(np.corrcoef(xs, ys)[0, 1]) < 0.02
    assert report(articles=2).map.points == ()


def test_the_page_needs_nothing_else_and_is_well_formed() -> None:
    told = training(report(None), report("<script>alert(1)</script>"), report(cells=5))
    found = page(told, "a&b.jsonl", "2026-01-05 06:00 UTC")
    assert "<script" not in found
    assert not re.search(r"https?:|src=|@import|url\(|<link|onload", found)
    assert "a&amp;b.jsonl" in found
    assert "prefers-color-scheme: dark" in found
    pictures = re.findall(r"<svg.*?</svg>", found, re.DOTALL)
    assert len(pictures) == 4
    for picture in pictures:
        minidom.parseString(picture)  # noqa: S318 - our own
    assert pictures[0].count("<circle") == 30
    assert pictures[2].count("<circle") == 35
    assert pictures[3].count("<rect") == 5
    places = [float(value) for value in re.findall(r'c[xy]="([-\d.]+)"', "".join(pictures))]
    assert min(places) > 0
    assert max(places) < 520
    for word in WORDS[7:8]:
        assert word in found
    checker = _Balance()
    checker.feed(found)
    checker.close()
    assert checker.open == []


class _Balance(HTMLParser):
    VOID = frozenset({"meta", "rect", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_a_page_of_hardly_anything() -> None:
    found = page(training(report(articles=1)), "x", "now")
    assert "Too few articles to draw" in found


def test_lines_and_json_say_what_there_is() -> None:
    told = training(report(None), report(cells=5))
    lines = "\n".join(told.lines())
    assert "100 in 3 channels; 2 records refused (not_json 2)" in lines
    assert "1 of channels, and the fallback of all others" in lines
    assert "体育: 100 articles, 40 words, coverage 90.0%, 2 of 5 cells probed" in lines
    assert "seconds     3.5 (read 1.0, learn 2.5)" in lines
    document = orjson.loads(orjson.dumps(told.fields()))
    assert document["models"][1]["typical"][0]["word"] == WORDS[7]
    assert told.metrics()["seconds"] == {"read": 1.0, "learn": 2.5}


def test_a_single_direction_can_be_drawn() -> None:
    learned = replace(versions.learned("x", WORDS), coverage=1.0)
    one = np.zeros((5, versions.DIMENSIONS), np.int16)
    one[:, 0] = [4000, 3999, 3998, 4000, 3999]
    found = report_of(learned, {WORDS[0]: 1}, {WORDS[0]: 1}, (one, ["x"] * 5), [])
    assert {y for _, y, _ in found.map.points} == {0.0}
    assert found.map.share == pytest.approx(1)
    alone = TrainReport(5, 1, {}, (found,))
    drawn = page(alone, "x", "now")
    assert " in 1 channel</p>" in drawn.replace(" · 0 s", "")
    assert 'class="name"' not in drawn
    assert drawn.count('fill="var(--accent)"') == 5
    assert alone.lines()[0] == "articles    5 in 1 channel"
