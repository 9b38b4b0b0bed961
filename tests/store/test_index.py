"""Heads, tails and bands against a plain list of carriers."""

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.matching.content import Key, Tier
from streaming.matching.rules import Rules
from streaming.position import encode
from streaming.store import keys
from streaming.store.index import Head, Index
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES

RULES = Rules(visible=2)
names = iter(range(10**9))


def fresh() -> MemoryStore:
    store = MemoryStore(f"index-{next(names)}")
    store.ensure_tables(TABLES)
    return store


def key(value: int, scope: str = "") -> Key:
    return Key(scope, Tier.SIMHASH, value)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60)), max_size=60), st.randoms())
def test_head_and_tail_hold_every_carrier_once_in_order(
    carriers: list[tuple[int, int]], rng: random.Random
) -> None:
    store = fresh()
    index = Index(store, RULES)
    expected: dict[Key, set[bytes]] = defaultdict(set)
    for value, moment in carriers:
        first = encode(moment, "t", 0, moment)
        index.put([(key(value), first, f"a{moment}")])
        expected[key(value)].add(keys.entry(first, f"a{moment}"))
        if rng.random() < 0.3:
            index.move_surplus(index.heads([key(value)]))
    for each, entries in expected.items():
        head = index.heads([each])[each]
        tail = list(index.tail(each, b"", b"\xff" * 8))
        assert set(head.entries) | set(tail) == entries
        assert tail == sorted(tail)
        below = [entry for entry in sorted(entries) if entry in head.trusted()]
        assert list(head.trusted()) == below == sorted(entries)[: len(below)]


def test_a_surplus_leaves_the_head_at_its_size_and_sets_the_boundary() -> None:
    index = Index(fresh(), RULES)
    entries = [encode(moment, "t", 0, moment) for moment in range(10)]
    index.put((key(7), first, "a") for first in entries)
    assert index.move_surplus(index.heads([key(7)])) == 10 - index.head_size
    head = index.heads([key(7)])[key(7)]
    assert len(head.entries) == index.head_size
    assert head.boundary == entries[index.head_size]
    assert head.answers(entries[index.head_size])
    assert not head.answers(entries[index.head_size + 1])


def test_an_entry_that_comes_late_into_a_moved_range_is_not_trusted_but_found() -> None:
    index = Index(fresh(), RULES)
    index.put((key(7), encode(moment, "t", 0, 0), "a") for moment in range(10))
    index.move_surplus(index.heads([key(7)]))
    late = encode(6, "t", 1, 0)
    index.put([(key(7), late, "late")])
    head = index.heads([key(7)])[key(7)]
    assert keys.entry(late, "late") in head.entries
    assert keys.entry(late, "late") not in head.trusted()


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20),
    st.sets(st.integers(0, 63), max_size=5),
    st.randoms(),
)
def test_near_finds_all_within_k_and_nothing_else(
    values: list[int], flips: set[int], rng: random.Random
) -> None:
    index = Index(fresh(), RULES)
    close = values[0]
    for bit in flips:
        close ^= 1 << bit
    indexed = {*values, close}
    first = encode(1, "t", 0, 0)
    index.put((key(value), first, str(value)) for value in indexed)
    index.put([(key(values[0] ^ 1, "elsewhere"), first, "other scope")])
    asked = rng.choice(sorted(indexed))
    found = index.near([key(asked)])[key(asked)]
    assert {each.value for each in found} == {
        value for value in indexed if (value ^ asked).bit_count() <= RULES.k
    }
    assert {each.scope for each in found} == {""}


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_a_move_that_dies_between_two_steps_hides_nothing(step: int) -> None:
    class Dying(MemoryStore):
        left = step

        def mutate(self, table: str, mutations: object) -> None:
            if self.left == 0:
                raise ConnectionError
            self.left -= 1
            super().mutate(table, mutations)  # type: ignore[arg-type]

    name = f"dying-{next(names)}"
    whole = MemoryStore(name)
    whole.ensure_tables(TABLES)
    index = Index(whole, RULES)
    entries = [encode(moment, "t", 0, moment) for moment in range(9)]
    index.put((key(7), first, "a") for first in entries)
    try:
        Index(Dying(name), RULES).move_surplus(index.heads([key(7)]))
    except ConnectionError:
        assert step < 3
    head = index.heads([key(7)])[key(7)]
    seen = set(head.entries) | set(index.tail(key(7), b"", b"\xff" * 8))
    assert seen == {keys.entry(first, "a") for first in entries}
    hidden = [e for e in seen if e not in head.trusted() and head.answers(e)]
    assert hidden == []


def test_an_empty_head_answers_everything() -> None:
    assert Head().answers(b"\xff")
    assert Head().trusted() == ()
