"""Sums over hours and days are those of the verdicts, however often they are made."""

import random
from collections import Counter

from streaming import exporting
from streaming.engine import statistics, summaries
from streaming.engine.summaries import DAY, GRAINS, HOUR, Sums
from streaming.store.contract import Store
from tests.engine.worlds import batch, deletion, event, index

EVER = 1 << 60
MINUTE = 60_000


def totals(store: Store, grain: summaries.Grain) -> dict[int, int]:
    found = {begin: s.outcomes.total() for begin, s in summaries.read(store, grain, 0, EVER)}
    return {begin: articles for begin, articles in found.items() if articles}


def test_articles_count_in_their_hour_and_day() -> None:
    store = index()
    moments = (5, HOUR.length_ms - 1, HOUR.length_ms, 3 * DAY.length_ms)
    batch(store, [event(f"a{n}", moment) for n, moment in enumerate(moments)])
    assert totals(store, HOUR) == {0: 2, HOUR.length_ms: 1, 3 * DAY.length_ms: 1}
    assert totals(store, DAY) == {0: 3, 3 * DAY.length_ms: 1}


def test_what_runs_again_counts_once_and_what_is_deleted_does_not() -> None:
    store = index()
    events = [event("a", 10), event("b", 20)]
    batch(store, events)
    batch(store, events)
    assert totals(store, DAY) == {0: 2}
    batch(store, [deletion("a", 30)])
    (_, sums), *_ = summaries.read(store, DAY, 0, EVER)
    assert sums.outcomes == Counter({("python", "agency", None, None): 1})
    assert not sums.distances


def test_they_can_be_recomputed_from_the_counts_of_minutes() -> None:
    rng = random.Random(3)
    store = index()
    for _ in range(20):
        names = [f"a{rng.randrange(60)}" for _ in range(8)]
        prints = (1, 2, 1 << 40)
        batch(
            store,
            [event(n, rng.randrange(4_000) * MINUTE, rng.choice(prints)) for n in names],
        )
    for grain in GRAINS:
        expected: dict[int, Sums] = {}
        for count in statistics.read(store):
            period = expected.setdefault(grain.begin(count.minute_ms), Sums())
            period.count(count.outcome, count.articles)
        found = {b: s for b, s in summaries.read(store, grain, 0, EVER) if s.outcomes}
        assert found == expected
    live = sum(1 for _ in exporting.verdicts(store))
    assert sum(totals(store, DAY).values()) == live


def test_the_time_line_tells_what_is_repeated() -> None:
    store = index()
    batch(store, [event("a", 10), event("b", MINUTE + 1), event("c", 3 * MINUTE)])
    found = [
        (e.article, e.minute_ms, e.duplicate_of) for e in statistics.appearances(store, 0, EVER)
    ]
    assert found == [("a", 0, None), ("b", MINUTE, "a"), ("c", 3 * MINUTE, "a")]
    assert [e.article for e in statistics.appearances(store, MINUTE, EVER, limit=1)] == ["b"]
