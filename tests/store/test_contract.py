"""The contract of the store, held by every backend."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.errors import StoreError
from streaming.store.contract import Cells, Mutation, Store, TableSpec
from tests.store.steps import Compare, Delete, Read, Scan, Step, apply, run

T = "things"
SPEC = TableSpec(T, family="similar")
Children = Callable[[list[Callable[[], bool]]], list[bool]]


# --- rows and mutate ---------------------------------------------------------------------------


def test_what_is_put_is_read_and_missing_rows_are_absent(store: Store) -> None:
    store.mutate(T, [Mutation(b"a", {b"x": b"1", b"y": b"2"}), Mutation(b"b", {b"x": b"3"})])
    assert store.rows(T, [b"b", b"zz", b"a", b"b"]) == {
        b"a": {b"x": b"1", b"y": b"2"},
        b"b": {b"x": b"3"},
    }
    assert store.rows(T, []) == {}


def test_any_bytes_are_allowed_in_keys_qualifiers_and_values(store: Store) -> None:
    everything = bytes(range(256))
    cells = {b"": b"", b"a:b": everything, everything: b"\0", b"similar:": b":"}
    store.mutate(T, [Mutation(everything, cells), Mutation(b"\xff\xff", {b"\0": b""})])
    assert store.rows(T, [everything, b"\xff\xff"]) == {
        everything: cells,
        b"\xff\xff": {b"\0": b""},
    }
    assert dict(store.scan(T)) == {everything: cells, b"\xff\xff": {b"\0": b""}}


def test_mutations_of_one_row_are_applied_in_order(store: Store) -> None:
    store.mutate(T, [Mutation(b"r", {b"old": b"0", b"kept": b"0"})])
    store.mutate(
        T,
        [
            Mutation(b"r", {b"a": b"1", b"b": b"1"}),
            Mutation(b"r", {b"a": b"2"}, (b"b", b"old")),
            Mutation(b"other", {b"a": b"1"}),
            Mutation(b"r", {b"b": b"3"}, (b"never there",)),
            Mutation(b"r", {b"c": b"4"}),
            Mutation(b"r", {}, (b"c",)),
        ],
    )
    assert store.rows(T, [b"r"]) == {b"r": {b"kept": b"0", b"a": b"2", b"b": b"3"}}


def test_within_a_mutation_the_put_wins(store: Store) -> None:
    store.mutate(T, [Mutation(b"r", {b"a": b"1"}, (b"a",))])
    assert store.rows(T, [b"r"]) == {b"r": {b"a": b"1"}}


def test_a_row_without_cells_is_no_row(store: Store) -> None:
    store.mutate(T, [Mutation(b"r", {b"a": b"1"}), Mutation(b"nothing", {})])
    store.mutate(T, [Mutation(b"r", {}, (b"a",))])
    assert store.rows(T, [b"r", b"nothing"]) == {}
    assert list(store.scan(T)) == []
    store.mutate(T, [])


def test_mutations_are_not_changed_and_results_are_the_callers(store: Store) -> None:
    put = {b"a": b"1"}
    store.mutate(T, [Mutation(b"r", put), Mutation(b"r", {b"b": b"2"})])
    assert put == {b"a": b"1"}
    put[b"a"] = b"changed"
    found = store.rows(T, [b"r"])
    found[b"r"][b"a"] = b"changed"
    next(store.scan(T))[1][b"a"] = b"changed"
    assert store.rows(T, [b"r"]) == {b"r": {b"a": b"1", b"b": b"2"}}


def test_a_put_after_a_delete_of_the_same_cell_is_kept(store: Store) -> None:
    rows = [b"%d" % number for number in range(60)]
    for row in rows:
        store.mutate(T, [Mutation(row, {b"a": b"1"})])
        store.mutate(T, [Mutation(row, {}, (b"a",))])
        store.mutate(T, [Mutation(row, {b"a": b"2"})])
        store.delete_rows(T, [row])
        store.mutate(T, [Mutation(row, {b"a": b"3"})])
    assert store.rows(T, rows) == {row: {b"a": b"3"} for row in rows}


def test_more_rows_and_bytes_than_one_request_takes(store: Store) -> None:
    rnd = random.Random(7)
    wanted = {b"%06d" % n: {b"q": rnd.randbytes(rnd.choice((0, 10, 900)))} for n in range(5_000)}
    wanted[b"large"] = {b"q": rnd.randbytes(3_000_000), b"r": b"small"}
    wanted[b"wide"] = {b"%05d" % n: b"" for n in range(20_000)}
    store.mutate(T, (Mutation(row, cells) for row, cells in wanted.items()))
    assert store.rows(T, [*wanted, *wanted]) == wanted
    assert list(store.scan(T)) == sorted(wanted.items())
    assert [row for row, _ in store.scan(T, keys_only=True)] == sorted(wanted)
    store.delete_rows(T, list(wanted))
    assert next(store.scan(T), None) is None


def test_many_large_rows(store: Store) -> None:
    wanted = {b"%03d" % n: {b"q": random.Random(n).randbytes(400_000)} for n in range(30)}
    store.mutate(T, [Mutation(row, cells) for row, cells in wanted.items()])
    assert store.rows(T, list(wanted)) == wanted
    assert dict(store.scan(T)) == wanted


@pytest.mark.parametrize("row", [b"", b"x" * 32_001])
def test_impossible_row_keys_are_refused(store: Store, row: bytes) -> None:
    with pytest.raises(ValueError, match="row key"):
        store.rows(T, [b"fine", row])
    with pytest.raises(ValueError, match="row key"):
        store.mutate(T, [Mutation(b"fine", {b"a": b""}), Mutation(row, {b"a": b"1"})])
    with pytest.raises(ValueError, match="row key"):
        store.delete_rows(T, [row])
    assert next(store.scan(T), None) is None


def test_the_longest_row_key(store: Store) -> None:
    row = b"\xff" * 32_000
    store.mutate(T, [Mutation(row, {b"a": b"1"})])
    assert list(store.scan(T, row[:-1])) == [(row, {b"a": b"1"})]


# --- scan --------------------------------------------------------------------------------------


def test_scan_bounds(store: Store) -> None:
    rows = [b"a", b"a\0", b"ab", b"b", b"\xff"]
    store.mutate(T, [Mutation(row, {b"q": row}) for row in reversed(rows)])

    def scanned(*bounds: bytes | None, **options: Any) -> list[bytes]:
        return [row for row, _ in store.scan(T, *bounds, **options)]  # type: ignore[arg-type]

    assert scanned() == rows
    assert scanned(b"a", b"b") == rows[:3]
    assert scanned(b"a\0", b"ab") == [b"a\0"]
    assert scanned(b"ac") == [b"b", b"\xff"]
    assert scanned(b"", b"") == scanned(b"b", b"a") == scanned(b"b", b"b") == []
    assert scanned(limit=2) == rows[:2]
    assert scanned(limit=0) == []
    assert scanned(b"a\0", limit=99, keys_only=True) == rows[1:]
    assert list(store.scan(T, b"b", keys_only=True)) == [(b"b", {}), (b"\xff", {})]


def test_scan_goes_on_while_rows_change_and_may_be_dropped(store: Store) -> None:
    rows = [b"%05d" % n for n in range(3_000)]
    store.mutate(T, [Mutation(row, {b"q": b""}) for row in rows])
    scan = store.scan(T)
    seen = [row for row, _ in islice(scan, 10)]
    store.delete_rows(T, rows[:1_500:2])
    store.mutate(T, [Mutation(row + b"x", {b"q": b""}) for row in rows])
    seen += [row for row, _ in scan]
    assert seen == sorted(set(seen))
    assert set(rows[1:1_500:2] + rows[1_500:]) <= set(seen)
    half = store.scan(T)
    next(half)
    del half


def test_reads_and_writes_between_the_rows_of_a_scan(store: Store) -> None:
    rows = [b"%03d" % n for n in range(400)]
    store.mutate(T, [Mutation(row, {b"q": b"1"}) for row in rows])
    for row, cells in store.scan(T):
        assert store.rows(T, [row]) == {row: cells}
        store.mutate(T, [Mutation(row, {b"q": b"2"})])
    assert all(cells == {b"q": b"2"} for _, cells in store.scan(T))


# --- compare and put ---------------------------------------------------------------------------


def test_compare_and_put(store: Store) -> None:
    assert store.compare_and_put(T, b"r", b"q", None, b"1")
    assert not store.compare_and_put(T, b"r", b"q", None, b"2")
    assert not store.compare_and_put(T, b"r", b"q", b"other", b"2")
    assert store.compare_and_put(T, b"r", b"q", b"1", b"2")
    assert store.rows(T, [b"r"]) == {b"r": {b"q": b"2"}}
    assert not store.compare_and_put(T, b"r", b"p", b"2", b"3")


def test_repeating_a_comparison_that_won_wins_again(store: Store) -> None:
    for _ in range(3):
        assert store.compare_and_put(T, b"r", b"q", None, b"mine")
    assert store.rows(T, [b"r"]) == {b"r": {b"q": b"mine"}}


def test_an_empty_cell_counts_as_absent_in_comparisons_only(store: Store) -> None:
    store.mutate(T, [Mutation(b"r", {b"q": b""})])
    assert store.rows(T, [b"r"]) == {b"r": {b"q": b""}}
    assert store.compare_and_put(T, b"r", b"q", None, b"1")
    for expected, value in ((None, b""), (b"", b"1")):
        with pytest.raises(ValueError, match="empty"):
            store.compare_and_put(T, b"r", b"q", expected, value)


def test_threads_share_a_store(store: Store) -> None:
    def count(name: bytes) -> None:
        for _ in range(10):
            _increment(store, name)
            store.mutate(T, [Mutation(b"mine " + name, {b"%d" % time.monotonic_ns(): b""})])
            assert store.rows(T, [b"mine " + name])

    threads = [Thread(target=count, args=(b"%d" % n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.rows(T, [b"count"])[b"count"][b"q"].startswith(b"40 ")


def _increment(store: Store, name: bytes) -> None:
    """Add one to a counter by compare and put, naming the writer in every value."""
    while True:
        current = store.rows(T, [b"count"]).get(b"count", {}).get(b"q")
        number = int(current.split()[0]) if current else 0
        mine = b"%d %s %d" % (number + 1, name, time.monotonic_ns())
        if store.compare_and_put(T, b"count", b"q", current, mine):
            return


# --- several processes -------------------------------------------------------------------------


def test_a_counter_of_several_processes_loses_nothing(
    shared_backend: Any, in_children: Children
) -> None:
    store = shared_backend.open()
    store.mutate(T, [Mutation(b"used before the fork", {b"q": b"1"})])

    def child(number: int) -> bool:
        mine = shared_backend.open()
        for _ in range(15):
            _increment(mine, b"%d" % number)
        return True

    assert all(in_children([lambda n=n: child(n) for n in range(4)]))  # type: ignore[misc]
    assert store.rows(T, [b"count"])[b"count"][b"q"].startswith(b"60 ")


def test_one_winner_among_processes(shared_backend: Any, in_children: Children) -> None:
    def child(number: int) -> bool:
        won: bool = shared_backend.open().compare_and_put(T, b"r", b"q", None, b"%d" % number)
        return won

    won = in_children([lambda n=n: child(n) for n in range(5)])  # type: ignore[misc]
    assert sum(won) == 1
    found = shared_backend.open().rows(T, [b"r"])
    assert found == {b"r": {b"q": b"%d" % won.index(True)}}


def test_a_store_works_on_both_sides_of_a_fork(shared_backend: Any, in_children: Children) -> None:
    store = shared_backend.open()
    before = {b"%d" % n: {b"q": b"before"} for n in range(50)}
    store.mutate(T, [Mutation(row, cells) for row, cells in before.items()])

    def child() -> bool:
        # The very object of the parent, as a closure would carry it over.
        return all(store.rows(T, list(before)) == before for _ in range(20))

    assert in_children([child, child]) == [True, True]
    assert store.rows(T, list(before)) == before
    store.mutate(T, [Mutation(b"after", {b"q": b"1"})])


# --- tables ------------------------------------------------------------------------------------


def test_tables_are_made_once_and_reported_when_missing(store: Store) -> None:
    assert store.missing_tables([SPEC, TableSpec("other")]) == ["other"]
    store.mutate(T, [Mutation(b"r", {b"q": b"1"})])
    store.ensure_tables([SPEC])
    assert store.rows(T, [b"r"]) == {b"r": {b"q": b"1"}}
    store.drop_tables([TableSpec("other")])
    store.drop_tables([SPEC])
    assert store.missing_tables([SPEC]) == [T]


@pytest.mark.parametrize("change", [{"family": "c"}, {"max_versions": 3}, {"ttl": 9}])
def test_a_table_that_is_another_one_is_refused(store: Store, change: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match=f"{next(iter(change))} is .* instead of"):
        store.ensure_tables([replace(SPEC, **change)])


def test_cells_expire_unless_they_are_put_again(store: Store) -> None:
    short = TableSpec("short", ttl=1)
    store.ensure_tables([short, SPEC])
    cells = {b"old": b"1", b"new": b"1"}
    store.mutate("short", [Mutation(b"r", cells), Mutation(b"s", cells)])
    store.mutate(T, [Mutation(b"kept", cells)])
    time.sleep(2.5)
    store.mutate("short", [Mutation(b"r", {b"new": b"2"})])
    store.expire([short, SPEC])
    assert store.rows("short", [b"r", b"s"]) == {b"r": {b"new": b"2"}}
    assert dict(store.scan("short")) == {b"r": {b"new": b"2"}}
    assert store.rows(T, [b"kept"]) == {b"kept": cells}
    store.drop_tables([short])


def test_a_missing_table_is_named_with_its_cure(store: Store) -> None:
    operations: list[Callable[[str], object]] = [
        lambda table: store.rows(table, [b"r"]),
        lambda table: store.mutate(table, [Mutation(b"r", {b"q": b"1"})]),
        lambda table: store.delete_rows(table, [b"r"]),
        lambda table: list(store.scan(table)),
        lambda table: store.compare_and_put(table, b"r", b"q", None, b"1"),
    ]
    for operation in operations:
        with pytest.raises(StoreError, match=r"never_made.*leitong store init"):
            operation("never_made")
    store.drop_tables([SPEC])
    began = time.monotonic()
    for operation in operations:
        with pytest.raises(StoreError, match=r"things.*leitong store init"):
            operation(T)
    assert time.monotonic() - began < 10  # it is no outage to be waited for


def test_ping_and_statistics(store: Store) -> None:
    assert "\n" not in store.ping()
    store.mutate(T, [Mutation(b"%d" % n, {b"q": b"1"}) for n in range(7)])
    store.rows(T, [b"1", b"2"])
    assert len(list(store.scan(T))) == 7
    totals = store.statistics()
    assert totals["mutate"].rows == totals["scan"].rows == 7
    assert totals["rows"].rows == 2
    assert totals["rows"].requests == 1
    assert totals["rows"].seconds > 0
    assert totals["rows"].retries == 0
    totals["rows"].rows = 99
    assert store.statistics()["rows"].rows == 2


def test_a_closed_store_opens_again(store: Store) -> None:
    store.mutate(T, [Mutation(b"r", {b"q": b"1"})])
    store.close()
    store.close()
    assert store.rows(T, [b"r"]) == {b"r": {b"q": b"1"}}


# --- the law -----------------------------------------------------------------------------------

ROWS = st.binary(min_size=1, max_size=2).map(lambda b: bytes(x % 4 * 85 for x in b))
QUALIFIERS = st.sampled_from([b"", b"a", b"a:", b"\xff"])
VALUES = st.sampled_from([b"", b"1", b"2", b"\0"])
FULL_VALUES = st.sampled_from([b"1", b"2", b"\0"])
MUTATIONS = st.builds(
    Mutation,
    ROWS,
    st.dictionaries(QUALIFIERS, VALUES, max_size=3),
    st.lists(QUALIFIERS, max_size=2).map(tuple),
)


STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.lists(MUTATIONS, max_size=6),
        st.builds(
            Scan,
            st.just(b"") | ROWS,
            st.none() | ROWS,
            st.none() | st.integers(0, 4),
            st.booleans(),
        ),
        st.builds(Compare, ROWS, QUALIFIERS, st.none() | FULL_VALUES, FULL_VALUES),
        st.builds(Delete, st.lists(ROWS, max_size=3).map(tuple)),
        st.builds(Read, st.lists(ROWS, max_size=4).map(tuple)),
    ),
    max_size=12,
)


def test_any_history_equals_that_of_a_plain_dict(backend: Any) -> None:
    store = backend.open()
    examples = {"memory": 300, "sqlite": 150, "large sqlite": 50, "wire": 100, "hbase": 25}

    @settings(
        max_examples=examples[backend.name],
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(STEPS)
    def history(steps: list[Step]) -> None:
        store.delete_rows(T, [row for row, _ in store.scan(T, keys_only=True)])
        model: dict[bytes, Cells] = {}
        for step in steps:
            wanted = apply(model, step)
            assert run(store, T, step) == wanted
            assert store.rows(T, [*model, *model, b"absent"]) == model
        assert list(store.scan(T)) == sorted(model.items())

    history()
