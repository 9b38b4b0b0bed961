"""The HBase client against servers that misbehave on cue, on loopback."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any

import pytest
from thriftpy2.protocol import TBinaryProtocol, TCompactProtocol
from thriftpy2.thrift import TProcessor
from thriftpy2.transport import (
    TBufferedTransport,
    TFramedTransport,
    TSocket,
    TTransportException,
)

from streaming.errors import StoreError, StoreUnavailable
from streaming.store import hbase_connection
from streaming.store.contract import Mutation, TableSpec
from streaming.store.hbase import HBaseStore
from streaming.store.hbase_admin import HBaseSettings
from streaming.store.hbase_connection import Endpoint, ThriftSettings, thrift1
from streaming.store.statistics import OperationStatistics

T = "things"
TRANSIENT = thrift1.IOError(
    b"org.apache.hadoop.hbase.NotServingRegionException: r is closing\n\tat"
)


class HangUp(Exception):  # noqa: N818 - what the server does, not what went wrong
    """Raised by a handler: the server closes the connection without an answer."""


class Handler:
    """One table, whose next calls are disturbed by what stands in ``script``."""

    def __init__(self) -> None:
        self.cells: dict[tuple[bytes, bytes], bytes] = {}
        self.script: list[Callable[[], None]] = []
        self.after: list[Callable[[], None]] = []
        self.asked: list[int] = []

    def getTableNames(self) -> list[bytes]:  # noqa: N802 - Thrift's names
        return [b"p_things"]

    def getColumnDescriptors(self, table: bytes) -> dict[bytes, Any]:  # noqa: N802
        assert table == b"p_things"
        return {b"c:": thrift1.ColumnDescriptor(name=b"c:", maxVersions=1)}

    def getRows(self, table: bytes, rows: list[bytes], attributes: Any) -> list[Any]:  # noqa: N802, ARG002
        self.asked.append(len(rows))
        self._disturb(self.script)
        return [
            thrift1.TRowResult(row, {b"c:row": thrift1.TCell(value=row, timestamp=1)})
            for row in rows
        ]

    def mutateRows(self, table: bytes, batches: list[Any], attributes: Any) -> None:  # noqa: N802, ARG002
        self._disturb(self.script)
        for batch in batches:
            for mutation in batch.mutations:
                self.cells[batch.row, mutation.column] = mutation.value

    def checkAndPut(  # noqa: N802
        self, table: bytes, row: bytes, column: bytes, value: bytes | None, mput: Any, *_: Any
    ) -> bool:
        del table
        self._disturb(self.script)
        if self.cells.get((row, column)) != value:
            return False
        self.cells[row, column] = mput.value
        self._disturb(self.after)
        return True

    def get(self, table: bytes, row: bytes, column: bytes, attributes: Any) -> list[Any]:  # noqa: ARG002
        value = self.cells.get((row, column))
        return [] if value is None else [thrift1.TCell(value=value, timestamp=1)]

    @staticmethod
    def _disturb(script: list[Callable[[], None]]) -> None:
        if script:
            script.pop(0)()


class ServersCompactProtocol(TCompactProtocol):
    """Reads the name of the method as text, whatever it reads values as."""

    def read_message_begin(self) -> tuple[str, int, int]:
        name, kind, number = super().read_message_begin()  # type: ignore[no-untyped-call]
        return name.decode(), kind, number


class Server:
    """A Thrift server on loopback with a handler, or with a function for every connection."""

    def __init__(
        self,
        serve: Callable[[socket.socket], None] | None = None,
        *,
        transport: type = TBufferedTransport,
        protocol: type = TBinaryProtocol,
    ) -> None:
        self.handler = Handler()
        self.accepted = 0
        self._transport = transport
        self._protocol = protocol
        self._serve = serve or self._answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = Lock()
        self._stopped = Event()
        self.endpoint = Endpoint(*self._listener.getsockname())
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self._open.append(connection)
            Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        with suppress(OSError, HangUp, TTransportException):
            self._serve(connection)
        self._close(connection)

    def _answer(self, connection: socket.socket) -> None:
        trans = self._transport(TSocket(sock=connection))  # type: ignore[no-untyped-call]
        protocol = self._protocol(trans, decode_response=False)
        processor = TProcessor(thrift1.Hbase, self.handler)
        while True:
            processor.process(protocol, protocol)

    @staticmethod
    def _close(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def hang_up(self) -> None:
        """Close all connections, as HBase's server does with idle ones."""
        with self._lock:
            for connection in self._open:
                self._close(connection)
            self._open.clear()

    def stop(self) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()


@pytest.fixture
def servers() -> Iterator[Callable[..., Server]]:
    """Make servers that are stopped with the test."""
    made: list[Server] = []

    def make(*arguments: Any, **options: Any) -> Server:
        made.append(Server(*arguments, **options))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def client(*endpoints: Endpoint, **options: Any) -> HBaseStore:
    defaults = {"timeout": 0.4, "deadline": 5.0}
    return HBaseStore(HBaseSettings(ThriftSettings(endpoints, **(defaults | options)), "p"))


def raises(error: BaseException) -> Callable[[], None]:
    def disturb() -> None:
        raise error

    return disturb


def elapsed(operation: Callable[[], object], error: type[Exception], match: str) -> float:
    began = time.monotonic()
    with pytest.raises(error, match=match):
        operation()
    return time.monotonic() - began


# --- it ends -----------------------------------------------------------------------------------


def test_a_server_that_never_answers(servers: Callable[..., Server]) -> None:
    server = servers(lambda _: time.sleep(30))
    store = client(server.endpoint, timeout=0.2, deadline=1.0)
    words = rf"no success within 1 s and \d+ attempts.*at {server.endpoint}: .*; check that HBase"
    assert elapsed(lambda: store.rows(T, [b"r"]), StoreUnavailable, words) < 1.5
    assert server.accepted >= 2
    assert elapsed(store.ping, StoreUnavailable, "within 0.2 s") < 1
    store.close()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = Endpoint(*free.getsockname())
    store = client(endpoint, deadline=0.8)
    assert elapsed(store.ping, StoreUnavailable, r"refused.*transport=buffered") < 2
    assert elapsed(lambda: store.rows(T, [b"r"]), StoreUnavailable, str(endpoint)) < 2


def test_an_answer_that_trickles_for_ever(servers: Callable[..., Server]) -> None:
    def trickle(connection: socket.socket) -> None:
        # A message of a million bytes, of which each comes within the timeout.
        connection.sendall(b"\x80\x01\x00\x02\x00\x0f\x42\x40")
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")

    store = client(servers(trickle).endpoint, deadline=1.0)
    assert elapsed(lambda: store.rows(T, [b"r"]), StoreUnavailable, "no success within 1 s") < 1.6
    store.close()


def test_garbage(servers: Callable[..., Server]) -> None:
    def babble(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        time.sleep(1)

    store = client(servers(babble).endpoint, deadline=0.6)
    assert elapsed(lambda: store.rows(T, [b"r"]), StoreUnavailable, "protocol=binary") < 2
    store.close()


# --- what went wrong once is not used again ----------------------------------------------------


def test_a_late_answer_is_never_taken_for_the_next(servers: Callable[..., Server]) -> None:
    server = servers()
    store = client(server.endpoint, timeout=0.2)
    for number in range(3):
        server.handler.script = [lambda: time.sleep(0.5)]
        row = b"row %d" % number
        assert store.rows(T, [row]) == {row: {b"row": row}}
        time.sleep(0.4)  # now the late answer is there, for whoever would read it
        assert store.rows(T, [b"next"]) == {b"next": {b"row": b"next"}}
    assert server.accepted == 1 + 3
    assert store.statistics()["rows"].retries == 3
    store.close()


def test_an_interrupted_call_leaves_no_connection_behind(servers: Callable[..., Server]) -> None:
    server = servers()
    store = client(server.endpoint)
    store.rows(T, [b"r"])

    def interrupted(request: Any, _: int) -> None:
        request._send("getRows", tableName=b"p_things", rows=[b"other"], attributes={})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store._caller.call("rows", interrupted, OperationStatistics())
    assert store.rows(T, [b"r"]) == {b"r": {b"row": b"r"}}
    assert server.accepted == 2
    store.close()


def test_a_child_opens_its_own_and_leaves_the_parents_alone(
    servers: Callable[..., Server], in_children: Any
) -> None:
    server = servers()
    store = client(server.endpoint)
    store.rows(T, [b"r"])
    (parents,) = store._caller._pool._idle

    def child() -> bool:
        found = store.rows(T, [b"r"]) == {b"r": {b"row": b"r"}}
        (mine,) = store._caller._pool._idle
        store.close()
        return found and mine is not parents

    assert in_children([child]) == [True]
    for _ in range(3):
        assert store.rows(T, [b"r"]) == {b"r": {b"row": b"r"}}
    assert store._caller._pool._idle == [parents]
    assert server.accepted == 2
    assert store.statistics()["rows"].retries == 0
    store.close()


def test_idle_connections_are_reopened_before_they_fail(
    servers: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers()
    store = client(server.endpoint)
    store.rows(T, [b"r"])
    server.hang_up()
    time.sleep(0.05)
    store.rows(T, [b"r"])
    assert server.accepted == 2
    monkeypatch.setattr(hbase_connection, "_IDLE_SECONDS", 0.05)
    time.sleep(0.1)
    store.rows(T, [b"r"])
    assert server.accepted == 3
    assert store.statistics()["rows"].retries == 0
    store.close()


def test_all_idle_connections_of_a_dead_server_go_at_once(
    servers: Callable[..., Server],
) -> None:
    server = servers()
    store = client(server.endpoint)

    def connect() -> Any:
        return store._caller._open(server.endpoint, time.monotonic() + 5)

    pool = store._caller._pool
    with pool.connection(connect), pool.connection(connect):
        pass
    assert len(store._caller._pool._idle) == 2
    store.rows(T, [b"r"])
    server.handler.script = [raises(HangUp())]
    store.rows(T, [b"r"])
    assert len(store._caller._pool._idle) == 1
    store.close()


# --- what is tried again, and what is not ------------------------------------------------------


def test_passing_errors_are_tried_again_and_logged_without_values(
    servers: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = servers()
    store = client(server.endpoint)
    server.handler.script = [raises(TRANSIENT), raises(HangUp()), raises(TRANSIENT)]
    with caplog.at_level(logging.WARNING):
        store.mutate(T, [Mutation(b"r", {b"q": b"sesame"})])
    assert server.handler.cells == {(b"r", b"c:q"): b"sesame"}
    assert store.statistics()["mutate"].retries == 3
    assert len(caplog.records) == 3
    assert "NotServingRegionException: r is closing" in caplog.text
    assert "sesame" not in caplog.text
    assert "\tat" not in caplog.text
    store.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (thrift1.IOError(b"x.TableNotEnabledException: p_things is disabled\n at"), "`enable` it"),
        (thrift1.IOError(b"y: Failed 1 action: a.NoSuchColumnFamilyException: c"), "prefix"),
        (thrift1.IOError(b"org.apache.hadoop.hbase.DoNotRetryIOException: no"), "HBase's log"),
        (thrift1.IOError(b"z.AccessDeniedException: no"), "grant"),
        (thrift1.IllegalArgument(b"KeyValue size too large"), "keyvalue.maxsize"),
    ],
)
def test_lasting_errors_are_not(
    servers: Callable[..., Server], error: Exception, words: str
) -> None:
    server = servers()
    store = client(server.endpoint)
    server.handler.script = [raises(error)] * 9
    mutation = [Mutation(b"r", {b"q": b"sesame"})]
    with pytest.raises(StoreError, match=f"p_things.*{words}") as refused:
        store.mutate(T, mutation)
    assert not isinstance(refused.value, StoreUnavailable)
    assert "\n" not in str(refused.value)
    assert "sesame" not in str(refused.value)
    assert len(server.handler.script) == 8
    store.close()


def test_another_thrift_service_is_named(servers: Callable[..., Server]) -> None:
    class NotHBase:
        thrift_services: tuple[str, ...] = ()

    def other(connection: socket.socket) -> None:
        protocol = TBinaryProtocol(TBufferedTransport(TSocket(sock=connection)))  # type: ignore[no-untyped-call]
        processor = TProcessor(NotHBase, None)  # type: ignore[arg-type]
        while True:
            processor.process(protocol, protocol)

    store = client(servers(other).endpoint)
    took = elapsed(store.ping, StoreError, "another Thrift service.*`hbase thrift start`")
    assert took < 1
    store.close()


def test_a_multiget_that_breaks_asks_for_less(servers: Callable[..., Server]) -> None:
    server = servers()
    store = client(server.endpoint)
    rows = [b"%03d" % n for n in range(300)]
    server.handler.script = [raises(HangUp()), raises(HangUp())]
    assert store.rows(T, rows) == {row: {b"row": row} for row in rows}
    assert server.handler.asked == [300, 150, 75, 225]
    store.close()


def test_compare_and_put_whose_answer_was_lost_is_won(servers: Callable[..., Server]) -> None:
    server = servers()
    store = client(server.endpoint)
    server.handler.after = [raises(HangUp())]
    assert store.compare_and_put(T, b"r", b"q", None, b"mine")
    assert store.statistics()["compare_and_put"].retries == 1
    server.handler.script = [raises(HangUp())]
    assert not store.compare_and_put(T, b"r", b"q", None, b"another's")
    store.close()


def test_another_server_takes_over(servers: Callable[..., Server]) -> None:
    dead, alive = servers(), servers()
    store = client(dead.endpoint, alive.endpoint)
    for _ in range(4):
        store.rows(T, [b"r"])
        store.close()
    assert dead.accepted
    assert alive.accepted
    dead.handler.script = [lambda: time.sleep(1)] * 9
    for _ in range(4):
        assert store.rows(T, [b"r"]) == {b"r": {b"row": b"r"}}
        store.close()
    dead.stop()
    for _ in range(4):
        assert store.rows(T, [b"r"]) == {b"r": {b"row": b"r"}}
        store.close()


# --- the wire ----------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["buffered", "framed"])
@pytest.mark.parametrize("protocol", ["binary", "compact"])
def test_transports_and_protocols(
    servers: Callable[..., Server], transport: str, protocol: str
) -> None:
    server = servers(
        transport={"buffered": TBufferedTransport, "framed": TFramedTransport}[transport],
        protocol={"binary": TBinaryProtocol, "compact": ServersCompactProtocol}[protocol],
    )
    store = client(server.endpoint, transport=transport, protocol=protocol)
    rows = [os.urandom(100) for _ in range(2_000)]
    assert store.rows(T, rows) == {row: {b"row": row} for row in rows}
    store.mutate(T, [Mutation(b"r", {b"q": bytes(100_000)})])
    assert server.handler.cells[b"r", b"c:q"] == bytes(100_000)
    store.close()


def test_the_compiled_protocol_is_in_use() -> None:
    assert "cybin" in hbase_connection._PROTOCOLS["binary"].__module__
    assert all(
        "cy" in transport.__name__.lower() for transport in hbase_connection._TRANSPORTS.values()
    )


def test_a_table_without_an_admin_service_is_refused_with_every_cure(
    servers: Callable[..., Server],
) -> None:
    server = servers()
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = Endpoint(*free.getsockname())
    settings = HBaseSettings(ThriftSettings((server.endpoint,)), "p", admin=nobody)
    store = HBaseStore(settings)
    words = rf"answers at {nobody}.*thrift2.*admin=HOST:PORT.*tables\.rb.*admin=none"
    assert elapsed(lambda: store.ensure_tables([TableSpec("new")]), StoreError, words) < 6
    store.close()
