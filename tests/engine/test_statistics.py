"""Rates survive whatever happens to the batches they are made of."""

import random
from collections import Counter

from streaming import exporting
from streaming.engine import statistics
from streaming.store.contract import Store
from tests.engine.worlds import batch, deletion, event, index

MINUTE = 60_000


def counted(store: Store) -> Counter[tuple[int, str | None]]:
    totals: Counter[tuple[int, str | None]] = Counter()
    for line in exporting.counts(store):
        totals[line["minute_ms"], line["relation"]] += line["articles"]
    return totals


def test_articles_count_in_the_minute_of_their_first_appearance() -> None:
    store = index()
    batch(store, [event("a", 10), event("b", MINUTE + 5), event("c", MINUTE + 6, fingerprint=0xFF)])
    assert counted(store) == {(0, None): 1, (MINUTE, "duplicate"): 1, (MINUTE, None): 1}
    assert [line["distance"] for line in exporting.counts(store)] == [None, 0, None]


def test_a_batch_that_runs_again_counts_once() -> None:
    store = index()
    events = [event("a", 10), event("b", 20)]
    batch(store, events)
    before = counted(store)
    batch(store, events)
    assert counted(store) == before == {(0, None): 1, (0, "duplicate"): 1}


def test_an_article_that_turns_out_older_leaves_its_minute() -> None:
    store = index()
    batch(store, [event("a", 3 * MINUTE), event("b", 4 * MINUTE)])
    batch(store, [event("b", MINUTE)])
    assert counted(store) == {(MINUTE, None): 1, (3 * MINUTE, "duplicate"): 1}


def test_deleted_articles_are_not_counted_and_hand_on_what_they_were() -> None:
    store = index()
    batch(store, [event("a", 10), event("b", 20)])
    batch(store, [deletion("a", 30)])
    assert counted(store) == {(0, None): 1}


def test_an_edit_moves_the_count_to_the_new_channel() -> None:
    store = index()
    batch(store, [event("a", 10, channel="go")])
    batch(store, [event("a", 20, channel="php")])
    assert [(line["channel"], line["articles"]) for line in exporting.counts(store)] == [("php", 1)]


def test_a_late_zombie_does_not_count() -> None:
    store = index()
    events = [event("a", 10), event("b", 20)]
    stale = batch(store, [events[1]])
    batch(store, [events[0]])
    statistics.roll_up(store, statistics.record(store, stale, bytes(8)))
    assert counted(store) == {(0, None): 1, (0, "duplicate"): 1}


def test_counts_can_be_recomputed_from_the_verdicts() -> None:
    rng = random.Random(5)
    store = index()
    for _ in range(30):
        names = [f"a{rng.randrange(40)}" for _ in range(6)]
        batch(
            store,
            [event(n, rng.randrange(40) * MINUTE, rng.choice((1, 2, 1 << 40))) for n in names],
        )
    expected: Counter[tuple[str, str | None]] = Counter(
        (line["first_seen"][:16], line["relation"]) for line in exporting.verdicts(store)
    )
    by_minute: Counter[tuple[str, str | None]] = Counter()
    for line in exporting.counts(store):
        stamp = f"1970-01-01T00:{line['minute_ms'] // MINUTE:02d}"
        by_minute[stamp, line["relation"]] += line["articles"]
    assert by_minute == expected
    some = list(statistics.read(store, 10 * MINUTE, 20 * MINUTE))
    assert some == [c for c in statistics.read(store) if 10 <= c.minute_ms // MINUTE < 20]
