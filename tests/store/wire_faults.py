"""What may happen to a call on its way to HBase and back; see `tests.store.wire`."""

import socket
import struct
from collections.abc import Callable

from streaming.store.hbase_connection import thrift1
from tests.store.wire_calls import Call, Fault, HangUp

TRANSIENT = thrift1.IOError(
    b"org.apache.hadoop.hbase.NotServingRegionException: r is closing\n\tat"
)


def _writes(call: Call) -> bool:
    return call.method in ("mutateRows", "checkAndPut")


# --- no answer ---------------------------------------------------------------------------------


def _hang_up(_: Call) -> None:
    raise HangUp


def _reset(call: Call) -> None:
    call.line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.line.sock.close()
    raise HangUp


def _lose(call: Call) -> None:
    call.apply()
    raise HangUp


def _cut(call: Call) -> None:
    answer = call.answered()
    call.send(answer[: len(answer) // 2])
    raise HangUp


def _half_close(call: Call) -> None:
    call.apply()
    call.line.sock.shutdown(socket.SHUT_WR)
    call.line.wait_for_the_other_end()


def _fall_silent(call: Call) -> None:
    call.line.wait_for_the_other_end()


def _half_close_after(call: Call) -> None:
    call.send(call.answered())
    call.line.sock.shutdown(socket.SHUT_WR)


HANG_UP = Fault("hang up", _hang_up)
RESET = Fault("reset", _reset)
LOST = Fault("answer lost", _lose)
CUT = Fault("answer cut off", _cut)
HALF_CLOSED = Fault("half closed", _half_close)
HALF_CLOSED_AFTER = Fault("half closed after", _half_close_after)
SILENT = Fault("silent", _fall_silent)


def late(calls: int, *, silent: bool = False) -> Fault:
    """Apply a write ``calls`` calls later; meanwhile hang up, or let the client wait."""

    def act(call: Call) -> None:
        call.server.postpone(call, calls)
        if silent:
            call.line.wait_for_the_other_end()
        raise HangUp

    return Fault("applied late, silent" if silent else "applied late", act, _writes)


def slow(seconds: float) -> Fault:
    """Apply the call and answer it after a while."""

    def act(call: Call) -> None:
        answer = call.answered()
        call.server.stopped.wait(seconds)
        call.send(answer)

    return Fault("slow", act)


def restart(seconds: float, *, applied: bool) -> Fault:
    """Go down with the call or before it, and come back after a while."""

    def act(call: Call) -> None:
        if applied:
            call.apply()
        call.server.down()
        call.server.stopped.wait(seconds)
        call.server.up()
        raise HangUp

    return Fault("restart", act)


# --- an answer that says no --------------------------------------------------------------------


def fails(error: Exception) -> Fault:
    """Answer with an error, having done nothing."""
    return Fault("error", lambda call: call.send(call.encoded(call.failed(error))))


def _apply_half(call: Call) -> None:
    table, batches, attributes = call.arguments
    puts = [
        thrift1.BatchMutation(batch.row, [m for m in batch.mutations if not m.isDelete])
        for batch in batches[: (len(batches) + 1) // 2]
    ]
    call.server.tables.mutateRows(table, puts, attributes)
    call.send(call.encoded(call.failed(TRANSIENT)))


HALF_DONE = Fault("half done", _apply_half, lambda call: call.method == "mutateRows")


# --- an answer to something else ---------------------------------------------------------------


def _stale(*, same: bool) -> Fault:
    def act(call: Call) -> None:
        answer = call.earlier(same=same)
        assert answer is not None
        call.send(answer)

    def fits(call: Call) -> bool:
        return call.earlier(same=same) is not None

    return Fault("answer of the same method" if same else "answer of another method", act, fits)


def _twice(call: Call) -> None:
    answer = call.answered()
    call.send(answer + answer)


def _misnumber(call: Call) -> None:
    call.send(call.encoded(call.nothing(), number=call.number + 1))


def _misname(call: Call) -> None:
    call.send(call.encoded(call.nothing(), method="compact"))


STALE_SAME = _stale(same=True)
STALE_OTHER = _stale(same=False)
TWICE = Fault("answered twice", _twice)
ECHO = Fault("echo", lambda call: call.send(call.line.request))
MISNUMBERED = Fault("another number", _misnumber)
MISNAMED = Fault("another name", _misname)


def garbled(garble: Callable[[bytes], bytes]) -> Fault:
    """Answer with other bytes."""
    return Fault("garbled", lambda call: call.send(garble(call.answered())))


# --- by what a client has to do about them -----------------------------------------------------

ANOTHERS = [STALE_SAME, STALE_OTHER, TWICE, ECHO, MISNUMBERED, MISNAMED]
"""Answers, of which none is the one to the call."""

LOSSES = [
    HANG_UP,
    RESET,
    LOST,
    CUT,
    HALF_CLOSED,
    HALF_CLOSED_AFTER,
    fails(TRANSIENT),
    restart(0.01, applied=True),
    restart(0.01, applied=False),
]
"""What leaves open whether the call was applied, or leaves a connection that is of no use."""


def named(fault: Fault) -> str:
    """Name a test by its fault."""
    return fault.name.replace(" ", "-")
