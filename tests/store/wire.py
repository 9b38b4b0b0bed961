"""A Thrift server on loopback that speaks to HBase's clients, and misbehaves on cue.

`Server` answers for `Tables`, which outlive its restarts. A test plans a `Fault` for some
call to come (`tests.store.wire_faults`); what happened is counted, so that a test can tell
that it did.
"""

import socket
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from threading import Event, Lock, Thread
from typing import Any

import pytest
from thriftpy2.protocol import TBinaryProtocol, TCompactProtocol
from thriftpy2.transport import TBufferedTransport, TFramedTransport, TTransportException

from streaming.store.contract import Cells
from streaming.store.hbase import HBaseStore
from streaming.store.hbase_admin import HBaseSettings
from streaming.store.hbase_connection import ThriftSettings, thrift1
from streaming.store.sockets import Endpoint
from tests.store.wire_calls import Call, Fault, HangUp, Line
from tests.store.wire_tables import Tables

TOO_LARGE = "frame too large"
DIALECTS = list(product(("buffered", "framed"), ("binary", "compact")))


class _ServersCompactProtocol(TCompactProtocol):
    """Reads the name of the method as text, whatever it reads values as."""

    def read_message_begin(self) -> tuple[str, int, int]:
        name, kind, number = super().read_message_begin()  # type: ignore[no-untyped-call]
        return name.decode(), kind, number


_TRANSPORTS = {"buffered": TBufferedTransport, "framed": TFramedTransport}
_PROTOCOLS = {"binary": TBinaryProtocol, "compact": _ServersCompactProtocol}


class Server:
    """A Thrift server with a handler, or with a function for every connection."""

    def __init__(
        self,
        serve: Callable[[socket.socket], None] | None = None,
        *,
        tables: Tables | None = None,
        transport: str = "buffered",
        protocol: str = "binary",
        service: Any = thrift1.Hbase,
        handler: Any = None,
        longest_frame: int | None = None,
    ) -> None:
        self.tables = tables or Tables()
        self.service = service
        self.handler = handler or self.tables
        self.accepted = 0
        self.occurred: Counter[str] = Counter()
        self.stopped = Event()
        self._serve = serve or self._converse
        self._transport = _TRANSPORTS[transport]
        self._protocol = _PROTOCOLS[protocol]
        self._longest_frame = longest_frame
        self._plans: defaultdict[str, deque[Fault | None]] = defaultdict(deque)
        self._late: list[tuple[int, Call]] = []
        self._calls = 0
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self.endpoint = Endpoint("127.0.0.1", 0)
        self.up()

    def plan(self, *faults: Fault | None, on: str = "") -> None:
        """Disturb the next calls, or those of method ``on``, in order; None lets one pass.

        A fault waits for a call that it fits, and those planned after it wait with it.
        """
        self._plans[on].extend(faults)

    def clear(self) -> None:
        """Disturb no more."""
        self._plans.clear()

    def left(self, on: str = "") -> int:
        """Count what is planned and has not come up."""
        return len(self._plans[on])

    def up(self) -> None:
        """Listen, at the same port as before."""
        self._listener = socket.create_server((self.endpoint.host, self.endpoint.port))
        self.endpoint = Endpoint(*self._listener.getsockname())
        self._acceptor = Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._acceptor.start()

    def down(self) -> None:
        """Stop listening and cut all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.hang_up()

    def stop(self) -> None:
        self.stopped.set()
        self.down()

    def hang_up(self, how: int = socket.SHUT_RDWR) -> None:
        """Close all connections, as HBase's server does with idle ones, or one way of them."""
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(how)

    def postpone(self, call: Call, calls: int) -> None:
        """Apply a call just before the one that comes ``calls`` calls later."""
        with self._lock:
            self._late.append((self._calls + calls, call))

    def settle(self) -> None:
        """Apply now what was postponed."""
        self._apply_late(None)

    def _apply_late(self, until: int | None) -> None:
        with self._lock:
            due = [call for at, call in self._late if until is None or at <= until]
            self._late = [late for late in self._late if late[1] not in due]
        for call in due:
            call.apply()
            # What is put from now on is not hidden by what this deleted.
            time.sleep(0.002)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self._open.add(connection)
            Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError, HangUp, TTransportException):
                self._serve(connection)
        finally:
            with self._lock:
                self._open.discard(connection)
            with suppress(OSError):
                # A child may have inherited it.
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _converse(self, connection: socket.socket) -> None:
        line = Line(connection, self._longest_frame)
        protocol = self._protocol(self._transport(line), decode_response=False)
        while True:
            try:
                call = Call(self, line, protocol)
            except OverflowError:
                self.occurred[TOO_LARGE] += 1
                return
            self._calls += 1
            self._apply_late(self._calls)
            fault = self._next(call)
            if fault is None:
                call.send(call.answered())
            else:
                fault.act(call)

    def _next(self, call: Call) -> Fault | None:
        with self._lock:
            plan = self._plans[call.method] or self._plans[""]
            if not plan or (plan[0] is not None and not plan[0].fits(call)):
                return None
            fault = plan.popleft()
            if fault is not None:
                self.occurred[fault.name] += 1
            return fault


Servers = Callable[..., Server]
Wire = tuple[Server, HBaseStore]


def client(*endpoints: Endpoint, **options: Any) -> HBaseStore:
    """Give a store whose table "things" is "p_things" there, with less patience than usual."""
    defaults = {"timeout": 0.4, "deadline": 5.0}
    return HBaseStore(HBaseSettings(ThriftSettings(endpoints, **(defaults | options)), "p"))


def elapsed(operation: Callable[[], object], error: type[Exception], match: str) -> float:
    """Give the seconds until it raises."""
    began = time.monotonic()
    with pytest.raises(error, match=match):
        operation()
    return time.monotonic() - began


def dialect(store: HBaseStore) -> dict[str, Any]:
    """Give the options with which another `client` speaks as this one does."""
    thrift = store._settings.thrift
    return {"transport": thrift.transport, "protocol": thrift.protocol}


def row(key: bytes) -> dict[bytes, Cells]:
    """Give what servers of the fixture hold of a row, as the store gives it."""
    return {key: {b"row": key}}
