"""Every event is what its truth says, checked against the text of its origin."""

import html
import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any

import pytest

from producers.newsroom import Mix, Newsroom, SimulatedEvent, Truth
from producers.newsroom.malformed import REASONS
from streaming.events import Event, EventParser, Reason
from streaming.text.normalise import normalise

MAX_BYTES = 200_000
KINDS = (
    *("related", "flash", "html", "late", "verbatim", "byline", "punctuation", "markup"),
    *("cut_lead", "reordered", "replaced_01", "replaced_05", "replaced_10", "replaced_20"),
    *("excerpt", "renumbered", "template", "repeated", "malformed"),
)
RATES = {**dict.fromkeys(KINDS, 0.03), "template": 0.1, "malformed": 0.06, "viral": 0.0}


@cache
def events() -> list[SimulatedEvent]:
    room = Newsroom(
        3,
        channels={1: "html", 2: "设计"},
        start=datetime(2025, 3, 12, tzinfo=UTC),
        mix=Mix(**RATES),
        max_bytes=MAX_BYTES,
    )
    return list(islice(room, 3000))


@cache
def contents() -> dict[str, dict[str, Any]]:
    return {
        event.truth.article_id: json.loads(event.record.value or b"")
        for event in events()
        if event.truth and not event.truth.kind.startswith(("malformed", "repeated"))
    }


def of_kind(kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any], Truth]]:
    """Yield (content, content of its origin, truth) of all events of a kind; fails on none."""
    found = [event.truth for event in events() if event.truth and event.truth.kind == kind]
    assert len(found) > 20
    for truth in found:
        assert truth.origin is not None
        assert truth.origin != truth.article_id
        yield contents()[truth.article_id], contents()[truth.origin], truth


def visible(body: str) -> str:
    """Return what a reader sees, without any white space."""
    body = re.sub(r"<(script|style)>.*?</\1>|<!--.*?-->|<[^>]*>", "", body, flags=re.DOTALL)
    return "".join(html.unescape(body).split())


def words_only(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[。！？])", visible(text)) if part]


def test_origins_come_before_their_copies() -> None:
    seen: set[str] = set()
    for event in events():
        assert event.truth is not None
        assert event.truth.origin is None or event.truth.origin in seen
        seen.add(event.truth.article_id)


def test_the_relation_follows_from_the_kind() -> None:
    expected = {"excerpt": "contained_in", "renumbered": "template"}
    unrelated = {"original", "late", "html", "flash", "related", "repeated"}
    for event in events():
        assert event.truth is not None
        kind = event.truth.kind
        if kind in unrelated or kind.startswith("malformed"):
            assert event.truth.relation is None
        elif kind.startswith("template:"):
            assert (event.truth.relation == "template") == (event.truth.origin is not None)
        else:
            assert event.truth.relation == expected.get(kind, "duplicate")


def test_verbatim_copies_have_the_same_title_and_body() -> None:
    for copy, origin, _ in of_kind("verbatim"):
        assert (copy["title"], copy["body"]) == (origin["title"], origin["body"])
        assert copy["url"] != origin["url"]


def test_byline_copies_contain_every_sentence_of_their_origin() -> None:
    for copy, origin, _ in of_kind("byline"):
        assert all(sentence in visible(copy["body"]) for sentence in sentences(origin["body"]))
        text = visible(copy["body"])
        assert not text.startswith(sentences(origin["body"])[0])
        assert not text.endswith(sentences(origin["body"])[-1])


def test_punctuation_copies_have_the_same_words() -> None:
    for copy, origin, _ in of_kind("punctuation"):
        assert words_only(visible(copy["body"])) == words_only(visible(origin["body"]))
        assert words_only(copy["title"]) == words_only(origin["title"])
        assert copy["body"] + copy["title"] != origin["body"] + origin["title"]


def test_markup_says_what_the_plain_text_says() -> None:
    for copy, origin, _ in of_kind("markup"):
        assert "<" in copy["body"]
        assert visible(copy["body"]) == visible(origin["body"])
    assert any("&nbsp&nbsp" in copy["body"] for copy, _, _ in of_kind("markup"))
    originals = [event for event in events() if event.truth and event.truth.kind == "html"]
    assert originals
    for event in originals:
        assert "</" in json.loads(event.record.value or b"")["body"]


def test_cut_leads_keep_the_end_of_the_text() -> None:
    for copy, origin, _ in of_kind("cut_lead"):
        rest, whole = visible(copy["body"]), visible(origin["body"])
        assert whole.endswith(rest)
        assert 0.7 * len(whole) <= len(rest) < len(whole)


def test_excerpts_are_a_fifth_to_a_half_of_their_origin() -> None:
    for copy, origin, _ in of_kind("excerpt"):
        part, whole = visible(copy["body"]), visible(origin["body"])
        assert part in whole
        assert 0.19 * len(whole) <= len(part) <= 0.51 * len(whole)


def test_reordered_copies_have_the_same_paragraphs() -> None:
    for copy, origin, _ in of_kind("reordered"):
        assert sorted(visible(copy["body"])) == sorted(visible(origin["body"]))
        assert visible(copy["body"]) != visible(origin["body"])
        if "<" not in origin["body"]:
            assert sorted(copy["body"].split()) == sorted(origin["body"].split())


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("replaced_01", 0.0, 0.02),
        ("replaced_05", 0.02, 0.08),
        ("replaced_10", 0.05, 0.15),
        ("replaced_20", 0.1, 0.28),
    ],
)
def test_replaced_words_change_their_share_of_the_text(kind: str, low: float, high: float) -> None:
    shares = []
    for copy, origin, _ in of_kind(kind):
        new, old = visible(copy["body"]), visible(origin["body"])
        assert len(new) == len(old)
        assert re.findall(r"\d+", new) == re.findall(r"\d+", old)
        shares.append(sum(a != b for a, b in zip(new, old, strict=True)) / len(old))
    assert min(shares) > 0
    assert low <= sum(shares) / len(shares) <= high


def test_renumbered_copies_differ_in_every_figure_and_in_nothing_else() -> None:
    for copy, origin, _ in of_kind("renumbered"):
        new, old = (visible(text["title"] + text["body"]) for text in (copy, origin))
        assert re.sub(r"\d+", "0", new) == re.sub(r"\d+", "0", old)
        figures = list(zip(re.findall(r"\d+", new), re.findall(r"\d+", old), strict=True))
        assert len(figures) >= 4
        assert all(int(a) != int(b) for a, b in figures)


def test_related_reports_share_names_and_not_sentences() -> None:
    pairs = [(report, origin) for report, origin, _ in of_kind("related")]
    kin = [_overlap(report["body"], origin["body"]) for report, origin in pairs]
    strangers = [
        _overlap(report["body"], origin["body"])
        for (report, _), (_, origin) in zip(pairs, pairs[1:] + pairs[:1], strict=True)
    ]
    assert max(kin) < 0.35
    assert sum(kin) > 2 * sum(strangers)
    for report, origin in pairs:
        assert report["channel"] == origin["channel"]
        assert report["title"] != origin["title"]
        shared = set(sentences(report["body"])) & set(sentences(origin["body"]))
        assert len(shared) <= 1


def test_issues_of_a_form_fill_the_same_slots_and_never_the_same_way() -> None:
    forms = {name: re.compile(_pattern(lines)) for name, lines in _forms().items()}
    issues: dict[str, set[str]] = {}
    for event in events():
        if event.truth and event.truth.kind.startswith("template:"):
            family = event.truth.kind.partition(":")[2]
            text = visible(contents()[event.truth.article_id]["body"])
            match = forms[family].fullmatch(text)
            assert match
            assert sum(form.fullmatch(text) is not None for form in forms.values()) == 1
            assert match["serial"] not in issues.setdefault(family, set())
            issues[family].add(match["serial"])
    assert set(issues) == set(forms)
    assert min(map(len, issues.values())) > 5


def test_late_articles_arrive_long_after_they_were_published() -> None:
    for event in events():
        if event.truth and event.record.timestamp_ms and event.truth.kind in {"late", "original"}:
            published = datetime.fromisoformat(contents()[event.truth.article_id]["published_at"])
            delay = event.record.timestamp_ms / 1000 - published.timestamp()
            assert (delay > 1800) == (event.truth.kind == "late")


def test_repeats_are_the_same_event_again() -> None:
    same_bytes = 0
    earlier: dict[bytes, bytes] = {}
    repeats = 0
    for event in events():
        key, value = event.record.key or b"", event.record.value or b""
        if event.truth and event.truth.kind == "repeated":
            repeats += 1
            assert json.loads(value) == json.loads(earlier[key])
            same_bytes += value == earlier[key]
        elif event.truth and not event.truth.kind.startswith("malformed"):
            earlier[key] = value
    assert 0 < same_bytes < repeats


def test_flashes_are_headlines() -> None:
    bodies = set()
    for event in events():
        if event.truth and event.truth.kind == "flash":
            content = contents()[event.truth.article_id]
            assert 15 <= len(content["title"]) <= 50
            assert content["body"] in {"", content["title"] + "。"}
            bodies.add(bool(content["body"]))
    assert bodies == {True, False}


@pytest.mark.parametrize("reason", REASONS)
def test_malformed_events_are_malformed_as_named(reason: str) -> None:
    values = [
        event.record.value or b""
        for event in events()
        if event.truth and event.truth.kind == f"malformed:{reason}"
    ]
    assert values
    parser = EventParser(max_bytes=MAX_BYTES)
    for value in values:
        parsed = parser.parse(value)
        if isinstance(parsed, Event):
            assert normalise(parsed.title + parsed.body).strip() == ""
            assert reason == Reason.EMPTY_TEXT
        else:
            assert parsed.reason == reason


def test_all_other_events_are_valid() -> None:
    parser = EventParser(max_bytes=MAX_BYTES)
    for event in events():
        if event.truth and not event.truth.kind.startswith("malformed"):
            assert isinstance(parser.parse(event.record.value, event.record.key), Event)


def test_updates_and_deletes_are_made_when_asked_for() -> None:
    room = Newsroom(
        4,
        channels={1: "html"},
        start=datetime(2025, 3, 12, tzinfo=UTC),
        mix=Mix(updated=0.1, deleted=0.1, related=0),
    )
    latest: dict[bytes, dict[str, Any]] = {}
    gone: set[bytes] = set()
    updates = tombstones = 0
    for event in islice(room, 1500):
        assert event.truth is not None
        key, value = event.record.key or b"", event.record.value
        if event.truth.kind == "deleted":
            assert key in latest
            assert key not in gone
            gone.add(key)
            tombstones += value is None
            if value is not None:
                assert json.loads(value) == {"event": "deleted", "article_id": key.decode()}
        elif not event.truth.kind.startswith(("malformed", "repeated")):
            content = json.loads(value or b"")
            if event.truth.kind == "updated":
                updates += 1
                assert content["event"] == "updated"
                assert key not in gone
                before = visible(latest[key]["body"])
                assert visible(content["body"]).startswith(before)
                assert len(visible(content["body"])) > len(before)
            latest[key] = content
    assert updates > 50
    assert 20 < tombstones < len(gone)


def _overlap(one: str, other: str) -> float:
    """Return the share of the shorter text's character 4-grams that the other has too."""
    first, second = ({text[at : at + 4] for at in range(len(text) - 3)} for text in (one, other))
    return len(first & second) / min(len(first), len(second))


def _forms() -> dict[str, str]:
    text = resources.files("producers.newsroom").joinpath("data", "families.txt").read_text("utf-8")
    found = re.findall(r"^\[(\w+)\.body\]\n(.+)$", text, flags=re.MULTILINE)
    return dict(found)


def _pattern(form: str) -> str:
    pieces = re.split(r"(\{[^}]*\})", "".join(form.replace("|", "").split()))
    slots = {True: r".{1,12}?", False: ""}
    return "".join(
        r"(?P<serial>\d+)" if piece == "{@serial}" else slots[piece[:1] == "{"] or re.escape(piece)
        for piece in pieces
    )
