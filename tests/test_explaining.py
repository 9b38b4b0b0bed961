"""Why a verdict names an article or not; the law: an obstacle if and only if it is not compared."""

import random
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.engine import decision
from streaming.engine.events import Logged
from streaming.engine.snapshot import Snapshot
from streaming.errors import SettingsError
from streaming.explaining import Explanation, Obstacle, explain
from streaming.explainview import page
from streaming.matching.content import Tier
from streaming.matching.reference import reference
from streaming.matching.rules import Rules
from streaming.store.contract import Mutation
from tests.engine.worlds import RULES, batch, deletion, event, index, ruling
from tests.simulation.histories import history


def explained(
    events: Sequence[Logged], a: str = "a", b: str = "b", rules: Rules = RULES
) -> Explanation:
    store = index()
    batch(store, events, rules)
    found = explain(store, rules, a, b)
    assert explain(store, rules, b, a).fields() == found.fields()
    assert orjson.loads(orjson.dumps(found.fields()))
    assert list(page(found, rules))
    return found


def compared(found: Explanation, rules: Rules = RULES) -> str:
    (line,) = (line for line in page(found, rules) if line.startswith("compared"))
    return line


def test_a_copy_names_the_earlier_one_and_not_the_other_way_round() -> None:
    found = explained([event("b", 20, 0b11), event("a", 10, 0)])
    assert (found.earlier.article, found.later.article) == ("a", "b")
    assert (found.distance, found.obstacle, found.stale) == (2, None, False)
    assert [(each.key.tier, each.slots, each.seen) for each in found.keys] == [
        (Tier.SIMHASH, 1, True)
    ]
    assert found.finding is not None
    assert found.finding.relation == "duplicate"
    assert found.fields()["verdict_of_later"] == {
        "duplicate_of": True,
        "template_of": False,
        "match": ["a", "duplicate", 0.96875],
        "reason": None,
        "overrides": [],
    }
    assert found.fields()["verdict_of_earlier"]["match"] is None


@pytest.mark.parametrize(
    ("events", "rules", "obstacle", "told"),
    [
        ([event("a", 1, 0), event("b", 2, 0xF)], RULES, Obstacle.KEY, "share no shingle"),
        ([event("a", 1, None), event("b", 2, 0)], RULES, Obstacle.KEY, "share no shingle"),
        (
            [event("a", 1), event("b", 1_002)],
            Rules(verify_simhash=False, window_ms=1_000),
            Obstacle.WINDOW,
            "they are 1001ms apart, the window is 1s",
        ),
        (
            [event("a", 1), event("b", 2, channel="go")],
            Rules(verify_simhash=False, scope="channel"),
            Obstacle.SCOPE,
            "within their channel",
        ),
        (
            [event("x", 0), event("y", 0), event("a", 1), event("b", 2)],
            Rules(verify_simhash=False, visible=2),
            Obstacle.SLOTS,
            "sees the 2 earliest",
        ),
    ],
)
def test_what_stands_between_two_articles_is_told(
    events: list[Logged], rules: Rules, obstacle: Obstacle, told: str
) -> None:
    found = explained(events, rules=rules)
    assert found.obstacle is obstacle
    assert told in compared(found, rules)
    assert not any(each.seen for each in found.keys)


def test_an_index_that_lost_its_entries_is_told() -> None:
    store = index()
    batch(store, [event("a", 1), event("b", 2)])
    store.mutate("head", [Mutation(row, {}, tuple(cells)) for row, cells in store.scan("head")])
    found = explain(store, RULES, "a", "b")
    assert found.obstacle is Obstacle.INDEX
    assert "does not name a" in compared(found)
    assert found.stale, "the verdict is of when they were there"


def test_what_editors_said_is_told_of_both() -> None:
    events: list[Logged] = [event("a", 1), event("b", 2), ruling("b", 3, "not_duplicate", "a")]
    found = explained(events)
    assert (found.finding, found.refusal, found.obstacle) == (None, "not_duplicate", None)
    assert found.answer.relation is None, "there are no texts here"
    said = found.fields()["verdict_of_later"]
    assert said["reason"]["why"] == "not_duplicate"
    assert said["overrides"] == [["not_duplicate", "a"]]

    found = explained([event("a", 1, 0), event("b", 2, 0xFF), ruling("a", 3, "original", "b")])
    assert found.later.article == "b"
    assert found.fields()["verdict_of_earlier"]["duplicate_of"]
    assert found.fields()["verdict_of_later"]["overrides"] == [["original_of", "a"]]
    page_of = "\n".join(page(found, RULES))
    assert (
        "of a: b is duplicate_of, match (duplicate, by an editor's word), override original"
        in page_of
    )


def test_another_original_does_not_hide_what_is_said_of_the_pair() -> None:
    rules = Rules(verify_simhash=False, max_matches=1)
    events: list[Logged] = [
        event("a", 1),
        event("b", 2),
        event("c", 3, 0xFF),
        ruling("b", 4, "original", "c"),
    ]
    found = explained(events, rules=rules)
    assert found.finding is not None
    assert found.finding.relation == "duplicate"
    assert found.later.says_of("a") == {
        "duplicate_of": False,
        "template_of": False,
        "match": None,
        "reason": None,
        "overrides": [],
    }


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("a", "nobody", "there is no article 'nobody'"),
        ("gone", "a", r"'gone' was deleted at 1970-01-01T00:00:00\.004Z"),
        ("a", "named", "there is no article 'named'"),
    ],
)
def test_who_is_not_there_is_an_error(a: str, b: str, expected: str) -> None:
    events: list[Logged] = [
        event("a", 1),
        event("gone", 3),
        deletion("gone", 4),
        ruling("a", 5, "original", "named"),
    ]
    with pytest.raises(SettingsError, match=expected):
        explained(events, a, b)


@given(st.integers(0, 2**32), st.sampled_from(("mixed", "late", "hot", "editors")))
def test_it_tells_what_the_rules_do(seed: int, style: str) -> None:
    made = history(random.Random(seed), style=style)
    store = index()
    batch(store, made.log(), made.rules)
    expected = reference(made.became(), made.rules)
    names = sorted(expected, key=lambda name: expected[name].first)
    for number, later in enumerate(names):
        snapshot = Snapshot(store, made.rules)
        verdict = decision.verdicts(snapshot, made.rules, [later])[later]
        candidates = {each.article for each in decision.candidates(snapshot, [later])[later]}
        for earlier in names[:number]:
            found = explain(store, made.rules, later, earlier)
            assert (found.earlier.article, found.later.article) == (earlier, later)
            assert not found.stale
            assert (found.obstacle is None) == (earlier in candidates)
            assert found.obstacle is not Obstacle.INDEX
            assert any(each.seen for each in found.keys) == (found.obstacle is None)
            assert verdict is not None
            match = next((m for m in verdict.matches if m.article == earlier), None)
            if match is not None and found.obstacle is None:
                assert found.finding == match.finding
            if len(verdict.matches) < made.rules.max_matches and found.obstacle is None:
                assert (match is None) == (found.finding is None)
            assert list(page(found, made.rules))
