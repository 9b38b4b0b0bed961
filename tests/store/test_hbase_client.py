"""The HBase client against servers that misbehave on cue, on loopback."""

import logging
import os
import socket
import time
from typing import Any

import pytest

from streaming.errors import StoreError, StoreUnavailable
from streaming.store import hbase_connection
from streaming.store.contract import Mutation, TableSpec
from streaming.store.hbase import HBaseStore
from streaming.store.hbase_admin import HBaseSettings
from streaming.store.hbase_connection import ThriftSettings, thrift1
from streaming.store.sockets import Endpoint
from streaming.store.statistics import OperationStatistics
from tests.store.wire import Servers, client, elapsed, row
from tests.store.wire_faults import HANG_UP, LOST, SILENT, TRANSIENT, fails, slow

T = "things"


# --- it ends -----------------------------------------------------------------------------------


def test_a_server_that_never_answers(servers: Servers) -> None:
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


def test_an_answer_that_trickles_for_ever(servers: Servers) -> None:
    def trickle(connection: socket.socket) -> None:
        # A message of a million bytes, of which each comes within the timeout.
        connection.sendall(b"\x80\x01\x00\x02\x00\x0f\x42\x40")
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")

    store = client(servers(trickle).endpoint, deadline=1.0)
    assert elapsed(lambda: store.rows(T, [b"r"]), StoreUnavailable, "no success within 1 s") < 1.6
    store.close()


def test_garbage(servers: Servers) -> None:
    def babble(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        time.sleep(1)

    store = client(servers(babble).endpoint, deadline=0.6)
    assert elapsed(lambda: store.rows(T, [b"r"]), StoreUnavailable, "protocol=binary") < 2
    store.close()


# --- what went wrong once is not used again ----------------------------------------------------


def test_a_late_answer_is_never_taken_for_the_next(servers: Servers) -> None:
    server = servers()
    store = client(server.endpoint, timeout=0.2)
    for key in (b"000", b"001", b"002"):
        server.plan(slow(0.5), on="getRows")
        assert store.rows(T, [key]) == row(key)
        time.sleep(0.4)  # now the late answer is there, for whoever would read it
        assert store.rows(T, [b"r"]) == row(b"r")
    assert server.accepted == 1 + 3
    assert store.statistics()["rows"].retries == 3
    store.close()


def test_an_interrupted_call_leaves_no_connection_behind(servers: Servers) -> None:
    server = servers()
    store = client(server.endpoint)
    store.rows(T, [b"r"])

    def interrupted(request: Any, _: int) -> None:
        request._send("getRows", tableName=b"p_things", rows=[b"other"], attributes={})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store._caller.call("rows", interrupted, OperationStatistics())
    assert store.rows(T, [b"r"]) == row(b"r")
    assert server.accepted == 2
    store.close()


def test_a_child_opens_its_own_and_leaves_the_parents_alone(
    servers: Servers, in_children: Any
) -> None:
    server = servers()
    store = client(server.endpoint)
    store.rows(T, [b"r"])
    (pool,) = store._caller._pools.values()
    (parents,) = pool._idle

    def child() -> bool:
        found = store.rows(T, [b"r"]) == row(b"r")
        (mine,) = pool._idle
        store.close()
        return found and mine is not parents

    assert in_children([child]) == [True]
    for _ in range(3):
        assert store.rows(T, [b"r"]) == row(b"r")
    assert pool._idle == [parents]
    assert server.accepted == 2
    assert store.statistics()["rows"].retries == 0
    store.close()


def test_idle_connections_are_reopened_before_they_fail(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
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
    servers: Servers,
) -> None:
    server = servers()
    store = client(server.endpoint)

    def connect() -> Any:
        return store._caller._open(server.endpoint, time.monotonic() + 5)

    (pool,) = store._caller._pools.values()
    with pool.connection(connect), pool.connection(connect):
        pass
    assert len(pool._idle) == 2
    store.rows(T, [b"r"])
    server.plan(HANG_UP, on="getRows")
    store.rows(T, [b"r"])
    assert len(pool._idle) == 1
    store.close()


# --- what is tried again, and what is not ------------------------------------------------------


def test_passing_errors_are_tried_again_and_logged_without_values(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    server = servers()
    store = client(server.endpoint)
    server.plan(fails(TRANSIENT), HANG_UP, fails(TRANSIENT), on="mutateRows")
    with caplog.at_level(logging.WARNING):
        store.mutate(T, [Mutation(b"r", {b"q": b"sesame"})])
    assert server.tables.columns("p_things")[b"r"][b"c:q"] == b"sesame"
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
def test_lasting_errors_are_not(servers: Servers, error: Exception, words: str) -> None:
    server = servers()
    store = client(server.endpoint)
    server.plan(*[fails(error)] * 9, on="mutateRows")
    mutation = [Mutation(b"r", {b"q": b"sesame"})]
    with pytest.raises(StoreError, match=f"p_things.*{words}") as refused:
        store.mutate(T, mutation)
    assert not isinstance(refused.value, StoreUnavailable)
    assert "\n" not in str(refused.value)
    assert "sesame" not in str(refused.value)
    assert server.left(on="mutateRows") == 8
    store.close()


def test_another_thrift_service_is_named(servers: Servers) -> None:
    class NotHBase:
        thrift_services: tuple[str, ...] = ()

    store = client(servers(service=NotHBase).endpoint)
    took = elapsed(store.ping, StoreError, "another Thrift service.*`hbase thrift start`")
    assert took < 1
    store.close()


def test_a_multiget_that_breaks_asks_for_less(servers: Servers) -> None:
    server = servers()
    store = client(server.endpoint)
    keys = [b"%03d" % n for n in range(300)]
    server.plan(LOST, LOST, on="getRows")
    assert store.rows(T, keys) == {key: {b"row": key} for key in keys}
    assert server.tables.asked == [300, 150, 75, 225]
    store.close()


def test_compare_and_put_whose_answer_was_lost_is_won(servers: Servers) -> None:
    server = servers()
    store = client(server.endpoint)
    server.plan(LOST, on="checkAndPut")
    assert store.compare_and_put(T, b"r", b"q", None, b"mine")
    assert store.statistics()["compare_and_put"].retries == 1
    server.plan(HANG_UP, on="checkAndPut")
    assert not store.compare_and_put(T, b"r", b"q", None, b"another's")
    store.close()


def test_another_server_takes_over(servers: Servers) -> None:
    dead, alive = servers(), servers()
    store = client(dead.endpoint, alive.endpoint)
    for _ in range(4):
        store.rows(T, [b"r"])
        store.close()
    assert dead.accepted
    assert alive.accepted
    dead.plan(*[SILENT] * 9)
    for _ in range(4):
        assert store.rows(T, [b"r"]) == row(b"r")
        store.close()
    dead.stop()
    for _ in range(4):
        assert store.rows(T, [b"r"]) == row(b"r")
        store.close()


# --- the wire ----------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["buffered", "framed"])
@pytest.mark.parametrize("protocol", ["binary", "compact"])
def test_transports_and_protocols(servers: Servers, transport: str, protocol: str) -> None:
    server = servers(transport=transport, protocol=protocol)
    store = client(server.endpoint, transport=transport, protocol=protocol)
    rows = {os.urandom(100): {b"q": os.urandom(100)} for _ in range(2_000)}
    rows[b"large"] = {b"q": os.urandom(100_000)}
    store.mutate(T, [Mutation(key, cells) for key, cells in rows.items()])
    assert store.rows(T, list(rows)) == rows
    store.close()


def test_the_compiled_protocol_is_in_use() -> None:
    assert "cybin" in hbase_connection._PROTOCOLS["binary"].__module__
    assert all(
        "cy" in transport.__name__.lower() for transport in hbase_connection._TRANSPORTS.values()
    )


def test_a_table_without_an_admin_service_is_refused_with_every_cure(
    servers: Servers,
) -> None:
    server = servers()
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = Endpoint(*free.getsockname())
    settings = HBaseSettings(ThriftSettings((server.endpoint,)), "p", admin=nobody)
    store = HBaseStore(settings)
    words = rf"answers at {nobody}.*thrift2.*admin=HOST:PORT.*tables\.rb.*admin=none"
    assert elapsed(lambda: store.ensure_tables([TableSpec("new")]), StoreError, words) < 6
    store.close()
