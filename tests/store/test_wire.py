"""What the HBase client makes of a network between it and HBase, in every dialect of Thrift."""

import random
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from streaming.errors import StoreUnavailable
from streaming.store.contract import Mutation
from streaming.store.hbase import HBaseStore
from tests.store.wire import Servers, Wire, client, dialect, row
from tests.store.wire_calls import Call, Fault
from tests.store.wire_faults import (
    ANOTHERS,
    HALF_DONE,
    HANG_UP,
    LOSSES,
    RESET,
    SILENT,
    TRANSIENT,
    fails,
    late,
    named,
)

T = "things"
LATE = [late(1), late(9)]
# A hang would be for ever; what a busy machine adds is none.
GRACE = 5


# --- what was reported as done is done ---------------------------------------------------------


@pytest.mark.parametrize("fault", [*LOSSES, *LATE, HALF_DONE], ids=named)
def test_writes_that_are_reported(wire: Wire, fault: Fault) -> None:
    server, store = wire
    store.mutate(T, [Mutation(b"r%d" % n, {b"old": b"1"}) for n in range(4)])
    server.plan(fault, on="mutateRows")
    store.mutate(T, [Mutation(b"r%d" % n, {b"q": b"2"}, (b"old",)) for n in range(4)])
    wanted = {b"r%d" % n: {b"q": b"2"} for n in range(4)}
    assert store.rows(T, list(wanted)) == wanted
    server.plan(fault, on="mutateRows")
    store.delete_rows(T, [b"r0", b"r1"])
    del wanted[b"r0"], wanted[b"r1"]
    assert dict(store.scan(T, b"r0", b"s")) == wanted
    server.down()
    server.settle()
    server.up()
    another = client(server.endpoint, **dialect(store))
    assert another.rows(T, [b"r0", b"r1", b"r2", b"r3"]) == wanted
    assert server.occurred == {fault.name: 2}
    another.close()


@pytest.mark.parametrize("fault", [*LOSSES, *LATE], ids=named)
def test_comparisons_that_are_reported(wire: Wire, fault: Fault) -> None:
    server, store = wire
    another = client(server.endpoint, **dialect(store))
    server.plan(fault, on="checkAndPut")
    assert store.compare_and_put(T, b"r", b"lock", None, b"mine")
    server.plan(fault, on="checkAndPut")
    assert not another.compare_and_put(T, b"r", b"lock", None, b"another's")
    assert store.rows(T, [b"r"])[b"r"][b"lock"] == b"mine"
    server.plan(fault, on="checkAndPut")
    assert another.compare_and_put(T, b"r", b"lock", b"mine", b"another's")
    server.settle()
    assert server.tables.columns("p_things")[b"r"][b"c:lock"] == b"another's"
    assert server.occurred == {fault.name: 3}
    another.close()


def test_a_comparison_that_came_late_does_not_undo_the_next(wire: Wire) -> None:
    server, store = wire
    server.plan(late(99), on="checkAndPut")
    assert store.compare_and_put(T, b"r", b"lock", None, b"first")
    assert store.compare_and_put(T, b"r", b"lock", b"first", b"second")
    server.settle()
    assert store.rows(T, [b"r"])[b"r"][b"lock"] == b"second"


def test_a_write_that_came_late_is_what_the_contract_warns_of(wire: Wire) -> None:
    server, store = wire
    server.plan(late(99), on="mutateRows")
    store.mutate(T, [Mutation(b"r", {b"q": b"first"})])
    store.mutate(T, [Mutation(b"r", {b"q": b"second"})])
    assert store.rows(T, [b"r"])[b"r"][b"q"] == b"second"
    server.settle()
    assert store.rows(T, [b"r"])[b"r"][b"q"] == b"first"


@pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR])
def test_a_connection_that_was_closed_while_it_was_idle_costs_no_attempt(
    wire: Wire, how: int
) -> None:
    server, store = wire
    server.hang_up(how)
    time.sleep(0.05)
    assert store.rows(T, [b"r"]) == row(b"r")
    assert server.accepted == 2
    assert not any(operation.retries for operation in store.statistics().values())


def test_threads_get_their_own_answers(servers: Servers) -> None:
    server = servers()
    store = client(server.endpoint, deadline=30)
    rnd = random.Random(3)
    faults = [*LOSSES, HALF_DONE, *ANOTHERS]
    server.plan(*(rnd.choice(faults) if rnd.random() < 0.1 else None for _ in range(400)))

    def work(thread: int) -> None:
        mine = b"%03d" % thread
        for number in range(40):
            assert store.rows(T, [mine]).items() >= row(mine).items()
            store.mutate(T, [Mutation(b"t" + mine, {b"%02d" % number: b"%d" % number})])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    server.settle()
    cells = {b"%02d" % number: b"%d" % number for number in range(40)}
    assert dict(store.scan(T, b"t", b"u")) == {b"t%03d" % thread: cells for thread in range(6)}
    store.close()


# --- it ends -----------------------------------------------------------------------------------


def operations(store: HBaseStore) -> list[Callable[[], object]]:
    return [
        lambda: store.rows(T, [b"r"]),
        lambda: store.mutate(T, [Mutation(b"r", {b"q": b"1"}, (b"p",))]),
        # More than the buffers between two processes take.
        lambda: store.mutate(T, [Mutation(b"r", {b"q": bytes(16 << 20)})]),
        lambda: store.delete_rows(T, [b"r"]),
        lambda: list(store.scan(T)),
        lambda: store.compare_and_put(T, b"r", b"q", None, b"1"),
        lambda: store.rows("others", [b"r"]),
        lambda: store.missing_tables([]),
        store.ping,
    ]


def never_answers(call: Call) -> None:
    call.server.stopped.wait()


def trickles(call: Call) -> None:
    for byte in call.answered():
        call.send(bytes((byte,)))
        call.server.stopped.wait(0.1)


@pytest.mark.parametrize(
    "fault",
    [
        HANG_UP,
        RESET,
        SILENT,
        fails(TRANSIENT),
        Fault("never answers", never_answers),
        Fault("trickles", trickles),
    ],
    ids=named,
)
def test_no_call_outlives_its_deadline(servers: Servers, fault: Fault) -> None:
    server = servers()
    # Longer than the machine may leave a server's thread waiting while it reads a large call.
    store = client(server.endpoint, timeout=0.5, deadline=1)
    assert store.rows(T, [b"r"]) == row(b"r")
    server.plan(*[fault] * 10_000)
    _all_end(operations(store))
    assert server.occurred[fault.name] >= 9
    server.clear()
    assert store.rows(T, [b"298"]) == row(b"298")
    store.close()


def test_no_call_outlives_its_deadline_where_nobody_accepts(servers: Servers) -> None:
    server = servers()
    store = client(server.endpoint, timeout=0.2, deadline=1)
    assert store.rows(T, [b"r"]) == row(b"r")
    server.down()
    with socket.create_server((server.endpoint.host, server.endpoint.port), backlog=0):
        _all_end(operations(store))
    _all_end(operations(store))
    server.up()
    assert store.rows(T, [b"r"]) == row(b"r")
    store.close()


def _all_end(calls: list[Callable[[], object]]) -> None:
    """Make the calls at once; each has to be given up a second from now, or somewhat later."""

    def end(call: Callable[[], object]) -> float:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            call()
        return time.monotonic() - began

    with ThreadPoolExecutor(len(calls)) as pool:
        assert max(pool.map(end, calls)) < 1 + 0.2 + GRACE
