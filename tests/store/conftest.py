"""One fresh table per test, in each backend."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from streaming.store import sqlite
from streaming.store.contract import Mutation, Store, TableSpec
from streaming.store.urls import open_store
from tests.store.wire import DIALECTS, Server, Servers, Wire, client, row

TABLE = TableSpec("things", family="similar")


@dataclass(frozen=True)
class Backend:
    """Where the store under test is; `open` gives it, also in another process."""

    name: str
    url: str
    prefix: str

    def open(self) -> Store:
        return open_store(self.url, self.prefix)


@pytest.fixture(params=["memory", "sqlite", "large sqlite", "wire", "hbase"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    yield from _backend(request.param, request, tmp_path)


@pytest.fixture(params=["sqlite", "wire", "hbase"])
def shared_backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Those that several processes can use."""
    yield from _backend(request.param, request, tmp_path)


@pytest.fixture
def hbase_backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    yield from _backend("hbase", request, tmp_path)


def _backend(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    unique = uuid4().hex[:12]
    urls: dict[str, Callable[[], str]] = {
        "memory": lambda: f"memory:{unique}",
        "sqlite": lambda: f"sqlite:{tmp_path / 'store.db'}",
        "large sqlite": lambda: f"sqlite:{tmp_path / 'store.db'}",
        # The same client as HBase's, at a server of the tests' own.
        "wire": lambda: (
            f"hbase://{request.getfixturevalue('servers')().endpoint}/test"
            "?admin=none&compression=none"
        ),
        # Layouts are tested elsewhere; a plain table is made in half the time.
        "hbase": lambda: (
            f"hbase://{request.getfixturevalue('stack').hbase}/test?admin=none&compression=none"
        ),
    }
    if name == "large sqlite":
        # Every file is as one that may not be in memory.
        request.getfixturevalue("monkeypatch").setattr(sqlite, "_IN_MEMORY_BYTES", 0)
    backend = Backend(name, urls[name](), f"t{unique}_")
    store = backend.open()
    store.ensure_tables([TABLE])
    yield backend
    store.drop_tables([TABLE])
    store.close()


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Make servers, with rows in a table "p_things" unless they are told what they hold.

    Each row has its own key in the cell "row". They are stopped with the test.
    """
    made: list[Server] = []

    def make(*arguments: Any, **options: Any) -> Server:
        server = Server(*arguments, **options)
        made.append(server)
        if not server.tables.getTableNames():
            server.tables.create("p_things")
            keys = [b"r", *(b"%03d" % n for n in range(300))]
            server.tables.fill("p_things", {key: {b"c:row": key} for key in keys})
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture(params=DIALECTS, ids="-".join)
def wire(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Wire]:
    """A server, and a client of it that has used a connection for reads and writes."""
    transport, protocol = request.param
    server = servers(transport=transport, protocol=protocol)
    store = client(server.endpoint, transport=transport, protocol=protocol)
    assert store.rows("things", [b"000"]) == row(b"000")
    store.mutate("things", [Mutation(b"used", {b"q": b"1"})])
    assert store.compare_and_put("things", b"used", b"lock", None, b"me")
    assert dict(store.scan("things", b"000", b"001")) == row(b"000")
    assert server.accepted == 1
    yield server, store
    store.close()


@pytest.fixture
def store(backend: Backend) -> Store:
    return backend.open()


@pytest.fixture
def in_children() -> Callable[[list[Callable[[], bool]]], list[bool]]:
    """Run functions in forked processes at once, as Spark forks its workers; give what they say."""

    def run(functions: list[Callable[[], bool]]) -> list[bool]:
        children = []
        for function in functions:
            pid = os.fork()
            if pid == 0:
                code = 2
                try:
                    code = 0 if function() else 1
                finally:
                    os._exit(code)
            children.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        assert set(codes) <= {0, 1}, codes
        return [code == 0 for code in codes]

    return run
