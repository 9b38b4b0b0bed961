"""What an article would be told is what it is told once it is in the log."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.engine import decision
from streaming.engine.events import LoggedContent, became
from streaming.engine.snapshot import Snapshot
from streaming.matching.content import Content
from streaming.matching.reference import reference
from streaming.matching.verdict import Verdict
from streaming.position import encode, timestamp_ms
from streaming.store.contract import Store
from tests.engine.worlds import RULES, batch, deletion, event, index
from tests.simulation.histories import NEAR, SHINGLES, TEXTS, UNIT_MS, History, history

FRESH = "fresh"
LOGS = 400


def supposed(store: Store, made: History, drafted: LoggedContent) -> Verdict | None:
    snapshot = Snapshot(store, made.rules)
    snapshot.suppose(drafted.article, {drafted.position: drafted.content})
    return decision.verdicts(snapshot, made.rules, [drafted.article])[drafted.article]


def draft(rng: random.Random, made: History, name: str, *, late: bool) -> LoggedContent:
    """An event that stands after all of the log, or anywhere in it."""
    moments = [timestamp_ms(each.position) for each in made.log()]
    latest = max(moments)
    moment = rng.randrange(latest + 1) if late else latest + rng.choice((0, 1, 5)) * UNIT_MS
    content = Content(
        rng.choice("xy"),
        "",
        rng.choice((*NEAR, None)),
        shingles=rng.choice(SHINGLES),
        evidence=rng.choice(TEXTS),
    )
    return LoggedContent(name, encode(moment, "~", 0, 0), content)


@given(st.integers(0, 2**32), st.booleans(), st.sampled_from(("mixed", "late", "hot", "editors")))
def test_what_is_supposed_is_what_the_log_would_give(seed: int, late: bool, style: str) -> None:  # noqa: FBT001 - Hypothesis gives it
    rng = random.Random(seed)
    made = history(rng, style=style)
    store = index()
    events = made.log()
    rng.shuffle(events)
    batch(store, events, made.rules)
    known = sorted({each.article for each in events if isinstance(each, LoggedContent)} or {FRESH})
    for name in (FRESH, "nobody", *known):
        drafted = draft(rng, made, name, late=late)
        answer = supposed(store, made, drafted)
        expected = reference([*made.became(), became(drafted)], made.rules).get(name)
        assert answer == (expected.verdict if expected else None)
    last = draft(rng, made, known[0], late=late)
    answer = supposed(store, made, last)
    judged = {each.article: each.verdict for each in batch(store, [last], made.rules)}
    assert answer == judged[known[0]]


def test_supposing_matters_in_many_of_these_logs() -> None:
    """The law above says little if nothing is ever found."""
    related = refused = edits = 0
    for seed in range(LOGS):
        rng = random.Random(seed)
        made = history(rng)
        store = index()
        batch(store, made.log(), made.rules)
        for name in (FRESH, "a1"):
            verdict = supposed(store, made, draft(rng, made, name, late=False))
            assert verdict is not None
            related += verdict.relation is not None
            refused += verdict.reason is not None
            edits += name == "a1" and verdict.relation is not None
    assert min(related, refused, edits) > LOGS // 10


def test_an_edit_is_not_compared_with_what_came_after_the_original() -> None:
    store = index()
    batch(store, [event("a", 1, 0), event("b", 2, 0xFF00)])
    snapshot = Snapshot(store, RULES)
    edited = event("a", 3, 0xFF00)
    row = snapshot.suppose("a", {edited.position: edited.content})
    assert row.first is not None
    assert timestamp_ms(row.first) == 1
    assert decision.verdicts(snapshot, RULES, ["a"]) == {"a": Verdict()}
    assert decision.candidates(snapshot, ["a"]) == {"a": []}


@pytest.mark.parametrize("moment", [1, 3])
def test_a_draft_brings_a_deleted_article_back_only_after_its_deletion(moment: int) -> None:
    store = index()
    batch(store, [event("a", 0), event("b", 1), deletion("b", 2)])
    snapshot = Snapshot(store, RULES)
    drafted = event("b", moment)
    snapshot.suppose("b", {drafted.position: drafted.content})
    (verdict,) = decision.verdicts(snapshot, RULES, ["b"]).values()
    assert (verdict.duplicate_of if verdict else None) == (None if moment < 2 else "a")
