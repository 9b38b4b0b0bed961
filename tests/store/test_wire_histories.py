"""Random histories of the HBase client under random faults, in every dialect of Thrift."""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import pytest

from streaming.errors import StoreUnavailable
from streaming.store import hbase_connection
from streaming.store.contract import Cells, Mutation
from streaming.store.hbase import HBaseStore
from tests.store.steps import Compare, Delete, Read, Scan, Step, apply, run
from tests.store.wire import DIALECTS, TOO_LARGE, Server, client
from tests.store.wire_calls import Fault
from tests.store.wire_faults import ANOTHERS, HALF_DONE, HANG_UP, LOSSES, SILENT, late, slow

T = "things"
ROWS = [b"a", b"a\0", b"b", b"bb", b"\xff"]
QUALIFIERS = [b"", b"x", b"y:z"]
SCRIPTS = 40
STEPS = 14
CALLS = 300
LONGEST_FRAME = 4_000
# A hang would be for ever; what a busy machine adds is none.
GRACE = 5

PROMPT = [*LOSSES, *ANOTHERS, HALF_DONE]
LATE = [late(1), late(3), late(6)]
WAITED_FOR = [SILENT, slow(0.3), *[late(2, silent=True)] * 2]
OUTAGE = [HANG_UP] * 25


def draw(rnd: random.Random, values: Iterator[int], now: dict[bytes, Cells]) -> Step:
    """Draw a step; the values it puts are put nowhere else, but for empty ones."""

    def mutation() -> Mutation:
        put = {q: b"%d" % next(values) for q in rnd.sample(QUALIFIERS, rnd.randrange(3))}
        if rnd.random() < 0.05:
            put[b"empty"] = b""
        return Mutation(rnd.choice(ROWS), put, tuple(rnd.sample(QUALIFIERS, rnd.randrange(3))))

    kind = rnd.randrange(10)
    if kind < 3:
        return [mutation() for _ in range(rnd.randrange(1, 5))]
    if kind < 5:
        return Read(tuple(rnd.choices(ROWS, k=rnd.randrange(1, 6))))
    if kind < 7:
        bounds = rnd.choice([b"", *ROWS]), rnd.choice([None, None, *ROWS])
        return Scan(*bounds, rnd.choice([None, None, 1, 3]), rnd.random() < 0.3)
    if kind < 8:
        return Delete(tuple(rnd.sample(ROWS, rnd.randrange(1, 3))))
    row, qualifier = rnd.choice(ROWS), rnd.choice([*QUALIFIERS, b"empty"])
    current = now.get(row, {}).get(qualifier) or None
    expected = rnd.choice([current, current, None, b"another"])
    return Compare(row, qualifier, expected, b"%d" % next(values))


@contextmanager
def script(
    seed: int, dialect: tuple[str, str], occurred: Counter[str], timeout: float, deadline: float
) -> Iterator[tuple[random.Random, Server, HBaseStore]]:
    transport, protocol = dialect
    server = Server(
        transport=transport,
        protocol=protocol,
        longest_frame=LONGEST_FRAME if transport == "framed" else None,
    )
    server.tables.create("p_things")
    store = client(
        server.endpoint,
        transport=transport,
        protocol=protocol,
        timeout=timeout,
        deadline=deadline,
    )
    try:
        assert unless_busy(lambda: store.rows(T, ROWS)) == {}
        yield random.Random(seed), server, store
    except BaseException as error:
        error.add_note(f"in script {seed}")
        raise
    finally:
        store.close()
        server.stop()
        occurred.update(server.occurred)


def unless_busy(ask: Callable[[], Any]) -> Any:
    """Give the answer of a server that is well; a busy machine may be later than a deadline."""
    until = time.monotonic() + GRACE
    while True:
        try:
            return ask()
        except StoreUnavailable:
            if time.monotonic() > until:
                raise


def _assert_enough(occurred: Counter[str], least: dict[str, int]) -> None:
    assert not {name: occurred[name] for name, times in least.items() if occurred[name] < times}


@pytest.fixture(autouse=True)
def _short_and_quiet(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    monkeypatch.setattr(hbase_connection, "_FIRST_PAUSE_SECONDS", 0.002)
    monkeypatch.setattr(hbase_connection, "_LONGEST_PAUSE_SECONDS", 0.03)


@pytest.mark.parametrize("dialect", DIALECTS, ids="-".join)
def test_where_nothing_is_applied_late_every_answer_is_that_of_a_plain_dict(
    dialect: tuple[str, str],
) -> None:
    occurred: Counter[str] = Counter()
    for seed in range(SCRIPTS):
        with script(seed, dialect, occurred, 5, 60) as (rnd, server, store):
            values = count()
            model: dict[bytes, Cells] = {}
            server.plan(
                *(rnd.choice(PROMPT) if rnd.random() < 0.25 else None for _ in range(CALLS))
            )
            for _ in range(STEPS):
                step = draw(rnd, values, model)
                wanted = apply(model, step)
                assert run(store, T, step) == wanted, step
            server.clear()
            assert list(store.scan(T)) == sorted(model.items())
    _assert_enough(occurred, {fault.name: 4 for fault in PROMPT})


# --- with writes that are applied late, and outages that are longer than the deadline ----------


class Witness:
    """What every row was at each moment of a step, by the server's own account."""

    def __init__(self, server: Server) -> None:
        self.now: dict[bytes, Cells] = {row: {} for row in ROWS}
        self._log = server.tables.log
        self._seen = 0

    def look(self) -> dict[bytes, list[Cells]]:
        """Give the states of each row since the last look: the one it was in, and all later."""
        states = {row: [cells] for row, cells in self.now.items()}
        seen, self._seen = self._seen, len(self._log)
        for row, columns in self._log[seen : self._seen]:
            states[row].append({column[2:]: value for column, value in columns.items()})
        self.now = {row: cells[-1] for row, cells in states.items()}
        return states


def explained(step: Step, answer: object, states: dict[bytes, list[Cells]]) -> bool:
    """Whether the contract allows the answer of a store that went through these states."""
    match step, answer:
        case list(), None:
            changes = _changes(step)
            return all(_seen(states[row][1:], changes[row]) for row in changes)
        case Delete(rows), None:
            return all({} in states[row][1:] for row in rows)
        case Read(rows), dict():
            found = [answer.get(row, {}) in states[row] for row in rows]
            return all(found) and set(answer) <= set(rows)
        case Scan(), list():
            return _scanned(step, answer, states)
        case Compare(row, qualifier, expected, value), bool():
            cells = [cells.get(qualifier) or None for cells in states[row]]
            return value in cells if answer else bool(set(cells) - {expected, value})
    return False


def _changes(mutations: list[Mutation]) -> dict[bytes, dict[bytes, bytes | None]]:
    """What each cell is when all of them are done; None if it is gone."""
    changes: dict[bytes, dict[bytes, bytes | None]] = {}
    for mutation in mutations:
        if mutation.put or mutation.delete:
            row = changes.setdefault(mutation.row, {})
            row.update(dict.fromkeys(mutation.delete))
            row.update(mutation.put)
    return changes


def _seen(states: list[Cells], changes: dict[bytes, bytes | None]) -> bool:
    """Whether one of the states has them all."""
    return any(all(cells.get(q) == value for q, value in changes.items()) for cells in states)


def _scanned(
    step: Scan, answer: list[tuple[bytes, Cells]], states: dict[bytes, list[Cells]]
) -> bool:
    found = dict(answer)
    between = [row for row in ROWS if step.start <= row and (step.stop is None or row < step.stop)]
    if list(found) != sorted(found) or len(found) != len(answer) or not set(found) <= set(between):
        return False
    if step.limit is not None and len(found) >= step.limit:
        if len(found) > step.limit:
            return False
        between = [row for row in between if row <= max(found)]
    if step.keys_only:
        return not any(found.values()) and all(
            any(bool(cells) is (row in found) for cells in states[row]) for row in between
        )
    return all(found.get(row, {}) in states[row] for row in between)


def faults(rnd: random.Random) -> list[Fault | None]:
    kinds: list[list[Fault] | list[None]] = [[None], PROMPT, LATE, WAITED_FOR, OUTAGE]
    planned: list[Fault | None] = []
    while len(planned) < CALLS:
        (kind,) = rnd.choices(kinds, [72, 22, 4, 1.4, 0.2])
        planned += kind if kind is OUTAGE else [rnd.choice(kind)]
    return planned


@pytest.mark.parametrize("dialect", DIALECTS, ids="-".join)
def test_whatever_happens_every_answer_is_true_and_every_write_reported_was_done(
    dialect: tuple[str, str],
) -> None:
    occurred: Counter[str] = Counter()
    for seed in range(SCRIPTS):
        with script(seed, dialect, occurred, 0.1, 0.3) as (rnd, server, store):
            values = count()
            witness = Witness(server)
            server.plan(*faults(rnd))
            for _ in range(STEPS):
                step = draw(rnd, values, witness.now)
                if isinstance(step, list) and rnd.random() < 0.02:
                    step.append(Mutation(b"a", {b"large": bytes(LONGEST_FRAME)}))
                began = time.monotonic()
                try:
                    answer = run(store, T, step)
                except StoreUnavailable:
                    occurred["outage"] += 1
                    witness.look()
                else:
                    states = witness.look()
                    assert explained(step, answer, states), (step, answer, states)
                assert time.monotonic() - began < 0.1 + 0.3 + GRACE
            server.clear()
            server.settle()
            witness.look()
            for step in (Read(tuple(ROWS)), Scan(b"", None, None, keys_only=False)):
                assert explained(step, unless_busy(partial(run, store, T, step)), witness.look())
    least = {fault.name: 4 for fault in (*PROMPT, *LATE)} | {"outage": 2}
    least |= {fault.name: 2 for fault in WAITED_FOR}
    _assert_enough(occurred, least | ({TOO_LARGE: 3} if dialect[0] == "framed" else {}))
