"""One fresh table per test, in each backend."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from streaming.store.contract import Store, TableSpec
from streaming.store.urls import open_store

TABLE = TableSpec("things", family="similar")


@dataclass(frozen=True)
class Backend:
    """Where the store under test is; `open` gives it, also in another process."""

    name: str
    url: str
    prefix: str

    def open(self) -> Store:
        return open_store(self.url, self.prefix)


@pytest.fixture(params=["memory", "sqlite", "hbase"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    yield from _backend(request.param, request, tmp_path)


@pytest.fixture(params=["sqlite", "hbase"])
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
        # Layouts are tested elsewhere; a plain table is made in half the time.
        "hbase": lambda: (
            f"hbase://{request.getfixturevalue('stack').hbase}/test?admin=none&compression=none"
        ),
    }
    backend = Backend(name, urls[name](), f"t{unique}_")
    store = backend.open()
    store.ensure_tables([TABLE])
    yield backend
    store.drop_tables([TABLE])
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
