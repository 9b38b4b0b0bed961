"""An answer to another call is never taken for one, in any dialect of Thrift."""

from contextlib import suppress
from typing import Any

import pytest

from streaming.store import hbase_admin, hbase_connection
from streaming.store.contract import Mutation
from streaming.store.hbase_admin import Thrift2Admin
from streaming.store.hbase_connection import RefusedError, ThriftSettings
from streaming.store.statistics import OperationStatistics
from tests.store.wire import Servers, Wire, client, dialect, row
from tests.store.wire_calls import Fault
from tests.store.wire_faults import (
    ANOTHERS,
    STALE_SAME,
    garbled,
    named,
)

T = "things"


@pytest.mark.parametrize("fault", ANOTHERS, ids=named)
def test_reads(wire: Wire, fault: Fault) -> None:
    server, store = wire
    server.plan(fault, on="getRows")
    assert store.rows(T, [b"r"]) == row(b"r")
    assert store.rows(T, [b"001"]) == row(b"001")  # not what the call before left behind
    assert server.occurred == {fault.name: 1}
    assert store.statistics()["rows"].retries == 1


@pytest.mark.parametrize("fault", ANOTHERS, ids=named)
def test_writes(wire: Wire, fault: Fault) -> None:
    server, store = wire
    server.plan(fault, on="mutateRows")
    store.mutate(T, [Mutation(b"r", {b"q": b"sent"})])
    assert store.rows(T, [b"r"]) == {b"r": {b"row": b"r", b"q": b"sent"}}
    assert server.tables.columns("p_things")[b"r"][b"c:q"] == b"sent"
    server.plan(fault, on="mutateRows")
    store.delete_rows(T, [b"r"])
    assert b"r" not in server.tables.columns("p_things")
    assert server.occurred == {fault.name: 2}


@pytest.mark.parametrize("fault", ANOTHERS, ids=named)
def test_comparisons(wire: Wire, fault: Fault) -> None:
    server, store = wire
    server.plan(fault, on="checkAndPut")
    assert store.compare_and_put(T, b"new", b"lock", None, b"me")
    assert server.tables.columns("p_things")[b"new"] == {b"c:lock": b"me"}
    server.plan(fault, on="get")
    assert not store.compare_and_put(T, b"r", b"row", None, b"me")
    assert server.occurred[fault.name] == 1 + (fault is not STALE_SAME)


@pytest.mark.parametrize("fault", ANOTHERS, ids=named)
@pytest.mark.parametrize("method", ["scannerOpenWithScan", "scannerGetList", "scannerClose"])
def test_scans(wire: Wire, fault: Fault, method: str) -> None:
    server, store = wire
    server.plan(fault, on=method)
    assert dict(store.scan(T, b"298", b"q")) == row(b"298") | row(b"299")
    assert dict(store.scan(T, b"r", b"s")) == row(b"r")
    assert server.occurred == {fault.name: 1}


@pytest.mark.parametrize("fault", ANOTHERS, ids=named)
@pytest.mark.parametrize("method", ["getColumnDescriptors", "getTableNames"])
def test_tables(wire: Wire, fault: Fault, method: str) -> None:
    server, store = wire
    server.tables.create("p_others", "d")
    server.plan(fault, on=method)
    store.missing_tables([])
    store.mutate("others", [Mutation(b"r", {b"q": b"1"})])
    assert server.tables.columns("p_others") == {b"r": {b"d:q": b"1"}}
    assert "2 tables" in store.ping()


@pytest.mark.parametrize("fault", ANOTHERS, ids=named)
def test_thrift_2(servers: Servers, fault: Fault) -> None:
    types = hbase_admin._thrift2()

    class Descriptions:
        def getTableDescriptor(self, table: Any) -> Any:  # noqa: N802 - Thrift's name
            family = types.TColumnFamilyDescriptor(
                name=table.qualifier, attributes={b"VERSIONS": b"1"}
            )
            return types.TTableDescriptor(tableName=table, columns=[family])

        def createTable(self, table: Any, splits: list[bytes]) -> None:  # noqa: N802
            """Succeed."""

    server = servers(service=types.THBaseService, handler=Descriptions())
    settings = ThriftSettings((server.endpoint,))
    admin = Thrift2Admin((server.endpoint,), settings, "here")
    ready = admin.attributes("first")
    assert ready == {"first": {"VERSIONS": "1"}}
    server.plan(fault, on="getTableDescriptor")
    assert admin.attributes("second") == {"second": {"VERSIONS": "1"}}
    assert admin.attributes("third") == {"third": {"VERSIONS": "1"}}
    admin.close()


def test_what_thrift_stumbles_over_is_an_outage(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, store = wire
    # Much of it reads like an answer of which more is to come.
    hasty = client(server.endpoint, timeout=0.02, deadline=5, **dialect(store))
    monkeypatch.setattr(hbase_connection, "_FIRST_PAUSE_SECONDS", 0.001)

    def read(request: Any, _: int) -> Any:
        return request.getRows(b"p_things", [b"r"], {})

    for at in range(-1, -50, -1):
        for wrong in (b"\x0e", b"\xf0"):
            server.plan(garbled(lambda true: true[:at] + wrong + true[at:][1:]))  # noqa: B023
            with suppress(RefusedError):
                hasty._caller.call("rows", read, OperationStatistics())
    hasty.close()
    assert server.occurred == {"garbled": 98}
    assert store.rows(T, [b"r"]) == row(b"r")
