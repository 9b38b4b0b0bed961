"""The embedded store: one SQLite file, used by several processes of one machine at once.

The file is in WAL mode: readers never wait, writers wait for each other up to
``timeout``. With ``synchronous=normal``, the default, what `SQLiteStore.mutate` returned
from survives the death of any process (``kill -9``), but the last moments before a power
cut or a crash of the operating system may be lost, without damage to the rest; ``full``
survives those too and pays a disk flush for every transaction. WAL needs shared memory:
the file cannot lie on a network file system.
"""

import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from streaming.errors import StoreError, StoreUnavailable
from streaming.store.contract import (
    Cells,
    Mutation,
    TableSpec,
    check_comparison,
    check_rows,
    check_same,
    chunked,
    merged_chunks,
    unknown_table,
)
from streaming.store.pool import ConnectionPool
from streaming.store.statistics import OperationStatistics, Recorder

DEFAULT_TIMEOUT = 60.0

_SELECT_SIZES = (1, 16, 128, 500)
# A transaction holds up every other writer: some 20 ms of work each.
_CHUNK_ROWS = 2_000
_CHUNK_BYTES = 4 << 20
_FIRST_PAGE_CELLS = 64
_LARGEST_PAGE_CELLS = 4_096
_CACHE_KIB = 64 * 1024
# 64 MiB. The default of 1000 pages makes loads of scattered keys write the same pages again and
# again, and each time the disk is waited for: of ten million articles a batch takes a quarter less
# time with these than with 4000.
_CHECKPOINT_PAGES = 16_000
# From this size on not all of a file may be in memory.
_IN_MEMORY_BYTES = 1 << 30
_READERS = 4
_SPECS = "leitong_tables"
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_RETRY_SECONDS = (0.001, 0.004)
_POLL_MS = 3

_foreign: list[sqlite3.Connection] = []
"""Connections of a parent process, kept for ever: SQLite forbids even to close them here."""


@dataclass(frozen=True, slots=True)
class SQLiteSettings:
    """``timeout`` in seconds: how long a writer waits for other writers."""

    path: Path
    timeout: float = DEFAULT_TIMEOUT
    synchronous: Literal["normal", "full"] = "normal"


class SQLiteStore:
    """`Store` in a SQLite file, which is created if its directory exists."""

    def __init__(self, settings: SQLiteSettings, tables_prefix: str = "") -> None:
        self._settings = settings
        self._path = settings.path.absolute()
        self._where = f"sqlite:{settings.path}"
        self._prefix = tables_prefix
        self._recorder = Recorder()
        self._pool = ConnectionPool(sqlite3.Connection.close, abandon=_foreign.append)

    def rows(self, table: str, keys: Sequence[bytes]) -> dict[bytes, Cells]:
        """See `Store.rows`."""
        check_rows(keys)
        found: dict[bytes, Cells] = {}
        for chunk in chunked(dict.fromkeys(keys), _SELECT_SIZES[-1]):
            # Few different numbers of parameters, so that statements are compiled once.
            size = next(size for size in _SELECT_SIZES if size >= len(chunk))
            padded = chunk + chunk[-1:] * (size - len(chunk))
            sql = (
                f"SELECT row, qualifier, value FROM {self._name(table)}"  # noqa: S608 - the name is checked
                f" WHERE row IN ({','.join('?' * size)})"
            )
            with self._use("rows", table, len(chunk)) as (connection, _):
                for row, qualifier, value in connection.execute(sql, padded):
                    cells = found.get(row)
                    if cells is None:
                        found[row] = {qualifier: value}
                    else:
                        cells[qualifier] = value
        return found

    def mutate(self, table: str, mutations: Iterable[Mutation]) -> None:
        """See `Store.mutate`; one transaction per chunk, so puts and deletes are seen at once."""
        for chunk in merged_chunks(mutations, most_rows=_CHUNK_ROWS, most_bytes=_CHUNK_BYTES):
            # Neighbours together: fewer pages are touched.
            chunk.sort(key=lambda mutation: mutation.row)
            self._fetch(table, [mutation.row for mutation in chunk])
            with self._write("mutate", table, len(chunk)) as connection:
                if any(mutation.delete for mutation in chunk):
                    connection.executemany(
                        f"DELETE FROM {self._name(table)} WHERE row = ? AND qualifier = ?",  # noqa: S608 - the name is checked
                        [(m.row, q) for m in chunk for q in m.delete],
                    )
                connection.executemany(
                    self._upsert(table), [(m.row, q, v) for m in chunk for q, v in m.put.items()]
                )

    def _fetch(self, table: str, keys: Sequence[bytes]) -> None:
        """Have the system read the pages of rows that are to be written, if they may be on disk.

        A writer that waits for the disk holds up all others, and it asks for one page after the
        other, of which the disk could read several at once.
        """
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:  # who writes says what is wrong
            return
        if size < _IN_MEMORY_BYTES or len(keys) < _READERS:
            return
        parts = chunked(keys, -(-len(keys) // _READERS))
        with ThreadPoolExecutor(_READERS) as readers:
            list(readers.map(lambda part: self._touch(table, part), parts))

    def _touch(self, table: str, keys: Sequence[bytes]) -> None:
        sql = f"SELECT COUNT(*) FROM {self._name(table)} WHERE row IN ({','.join('?' * len(keys))})"  # noqa: S608 - the name is checked
        with self._use("fetch", table, len(keys)) as (connection, _):
            connection.execute(sql, keys).fetchone()
            # What was read is for the system to keep: readers need no cache of their own.
            connection.execute("PRAGMA shrink_memory")

    def delete_rows(self, table: str, keys: Sequence[bytes]) -> None:
        """See `Store.delete_rows`."""
        check_rows(keys)
        for chunk in chunked(keys, _CHUNK_ROWS):
            with self._write("delete_rows", table, len(chunk)) as connection:
                connection.executemany(
                    f"DELETE FROM {self._name(table)} WHERE row = ?",  # noqa: S608 - the name is checked
                    [(key,) for key in chunk],
                )

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        limit: int | None = None,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, Cells]]:
        """See `Store.scan`; no read transaction stays open between pages."""
        size = _FIRST_PAGE_CELLS
        left = limit
        while left is None or left > 0:
            page, ended = self._page(table, start, stop, size, keys_only=keys_only)
            yield from page if left is None else page[:left]
            if ended:
                return
            start = page[-1][0] + b"\0"
            left = None if left is None else left - len(page)
            size = min(2 * size, _LARGEST_PAGE_CELLS)

    def _page(
        self, table: str, start: bytes, stop: bytes | None, size: int, *, keys_only: bool
    ) -> tuple[list[tuple[bytes, Cells]], bool]:
        """Read whole rows, in all about ``size`` cells but one row at least; say if it is all."""
        name = self._name(table)
        until = "" if stop is None else "AND row < ?"
        parameters = (start,) if stop is None else (start, stop)
        what, order = (
            ("DISTINCT row, NULL, NULL", "row")
            if keys_only
            else ("row, qualifier, value", "row, qualifier")
        )
        sql = f"SELECT {what} FROM {name} WHERE row >= ? {until} ORDER BY {order} LIMIT {size}"  # noqa: S608 - all checked
        with self._use("scan", table) as (connection, request):
            found = connection.execute(sql, parameters).fetchall()
            ended = len(found) < size
            if keys_only:
                page: list[tuple[bytes, Cells]] = [(row, {}) for row, _, _ in found]
            else:
                if not ended:
                    last = found[-1][0]
                    # The last row may go on: leave it to the next page, unless it is the only one.
                    found = [cell for cell in found if cell[0] != last] or connection.execute(
                        f"SELECT row, qualifier, value FROM {name} WHERE row = ?",  # noqa: S608 - the name is checked
                        (last,),
                    ).fetchall()
                page = [
                    (row, {qualifier: value for _, qualifier, value in cells})
                    for row, cells in groupby(found, key=lambda cell: cell[0])
                ]
            request.rows = len(page)
        return page, ended

    def compare_and_put(
        self, table: str, row: bytes, qualifier: bytes, expected: bytes | None, value: bytes
    ) -> bool:
        """See `Store.compare_and_put`."""
        check_comparison(row, expected, value)
        with self._write("compare_and_put", table, 1) as connection:
            found = connection.execute(
                f"SELECT value FROM {self._name(table)} WHERE row = ? AND qualifier = ?",  # noqa: S608 - the name is checked
                (row, qualifier),
            ).fetchone()
            current = (found[0] or None) if found else None
            if current == expected:
                connection.execute(self._upsert(table), (row, qualifier, value))
            return current in (expected, value)

    def ensure_tables(self, tables: Sequence[TableSpec]) -> None:
        """See `Store.ensure_tables`."""
        with self._write("ensure_tables", _SPECS) as connection:
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {_SPECS} (name TEXT PRIMARY KEY, family TEXT NOT NULL,"
                " salted INTEGER NOT NULL, max_versions INTEGER NOT NULL,"
                " large_values INTEGER NOT NULL, ttl INTEGER)"
            )
            for spec in tables:
                name = self._prefix + spec.name
                connection.execute(
                    f"INSERT OR IGNORE INTO {_SPECS} VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
                    (name, *astuple(spec)[1:]),
                )
                found = connection.execute(
                    f"SELECT * FROM {_SPECS} WHERE name = ?",  # noqa: S608 - a constant
                    (name,),
                ).fetchone()
                check_same(TableSpec(*found), spec, self._where)
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {self._name(spec.name)} (row BLOB NOT NULL,"
                    " qualifier BLOB NOT NULL, value BLOB NOT NULL, written INTEGER NOT NULL,"
                    " PRIMARY KEY (row, qualifier)) WITHOUT ROWID"
                )

    def missing_tables(self, tables: Sequence[TableSpec]) -> list[str]:
        """See `Store.missing_tables`."""
        with self._use("missing_tables", _SPECS) as (connection, _):
            existing = {
                name
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            }
        return [spec.name for spec in tables if self._prefix + spec.name not in existing]

    def drop_tables(self, tables: Sequence[TableSpec]) -> None:
        """See `Store.drop_tables`; the file keeps its size and uses the space again."""
        if len(self.missing_tables(tables)) == len(tables):
            return
        with self._write("drop_tables", _SPECS) as connection:
            for spec in tables:
                connection.execute(f"DROP TABLE IF EXISTS {self._name(spec.name)}")
                connection.execute(
                    f"DELETE FROM {_SPECS} WHERE name = ?",  # noqa: S608 - a constant
                    (self._prefix + spec.name,),
                )

    def expire(self, tables: Sequence[TableSpec]) -> int:
        """See `Store.expire`; page by page, so that other writers get their turn."""
        removed = 0
        for spec in tables:
            if spec.ttl is None:
                continue
            name, before = self._name(spec.name), int(time.time()) - spec.ttl
            pages = (
                f"SELECT row FROM {name} WHERE row > ? ORDER BY row LIMIT 1 OFFSET {_CHUNK_ROWS}"  # noqa: S608 - the name is checked
            )
            low: bytes | None = b""
            while low is not None:
                with self._write("expire", spec.name) as connection:
                    found = connection.execute(pages, (low,)).fetchone()
                    high = found[0] if found else None
                    until = "" if high is None else "AND row <= ?"
                    parameters = (low, before) if high is None else (low, before, high)
                    removed += connection.execute(
                        f"DELETE FROM {name} WHERE row > ? AND written < ? {until}",  # noqa: S608 - the name is checked
                        parameters,
                    ).rowcount
                low = high
        return removed

    def ping(self) -> str:
        """See `Store.ping`."""
        with self._use("ping", _SPECS) as (connection, _):
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        return f"{self._where}, SQLite {sqlite3.sqlite_version}"

    def statistics(self) -> dict[str, OperationStatistics]:
        """See `Store.statistics`."""
        return self._recorder.snapshot()

    def close(self) -> None:
        """See `Store.close`."""
        self._pool.clear()

    def _name(self, table: str) -> str:
        name = self._prefix + table
        if not _TABLE_NAME.fullmatch(name):
            raise StoreError(
                f"{self._where}: {name!r} cannot name a table; use letters, digits, '_', '-', '.'"
            )
        return f'"{name}"'

    def _upsert(self, table: str) -> str:
        return (
            f"INSERT INTO {self._name(table)} VALUES (?, ?, ?, {int(time.time())})"  # noqa: S608 - checked
            " ON CONFLICT DO UPDATE SET value = excluded.value, written = excluded.written"
        )

    @contextmanager
    def _use(
        self, operation: str, table: str, rows: int = 0
    ) -> Iterator[tuple[sqlite3.Connection, OperationStatistics]]:
        """Lend a connection, and turn what SQLite raises into a `StoreError`."""
        try:
            with (
                self._recorder.request(operation, rows) as request,
                self._pool.connection(self._connect) as connection,
            ):
                yield connection, request
        except sqlite3.Error as error:
            raise self._explain(error, table) from error

    @contextmanager
    def _write(self, operation: str, table: str, rows: int = 0) -> Iterator[sqlite3.Connection]:
        """Lend a connection within a write transaction.

        If anything is raised, the pool closes the connection, which rolls back.
        """
        with self._use(operation, table, rows) as (connection, _):
            # SQLite itself waits in steps of up to 100 ms, and the file is often free sooner.
            connection.execute(f"PRAGMA busy_timeout = {_POLL_MS}")
            _until(
                time.monotonic() + self._settings.timeout,
                lambda: connection.execute("BEGIN IMMEDIATE"),
            )
            connection.execute(f"PRAGMA busy_timeout = {round(self._settings.timeout * 1000)}")
            yield connection
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        if not self._path.parent.is_dir():
            raise StoreError(
                f"{self._where}: there is no directory {self._path.parent}; "
                "create it, or name a file elsewhere"
            )
        connection = sqlite3.connect(
            self._path,
            timeout=self._settings.timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _configure(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._settings.timeout

        def to_wal() -> None:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")

        # Changing the mode does not wait for other processes that are about to do the same.
        _until(deadline, to_wal)
        connection.execute(f"PRAGMA synchronous = {self._settings.synchronous}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")

    def _explain(self, error: sqlite3.Error, table: str) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        text = str(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StoreUnavailable(
                f"{self._where}: other processes kept it locked for {self._settings.timeout:g} s; "
                "look for one that hangs, or raise ?timeout="
            )
        if text.startswith("no such table"):
            return unknown_table(self._prefix + table, self._where)
        cures = {
            sqlite3.SQLITE_FULL: f"make room on the disk of {self._path.parent}",
            sqlite3.SQLITE_IOERR: f"check the disk of {self._path.parent}, and its free space",
            sqlite3.SQLITE_NOTADB: "the file is something else; name another one",
            sqlite3.SQLITE_CORRUPT: "restore the file, or replay the log into a new one",
            sqlite3.SQLITE_READONLY: f"user {os.getuid()} needs the right to write it",
            sqlite3.SQLITE_CANTOPEN: f"user {os.getuid()} needs the right to read and write it",
            sqlite3.SQLITE_TOOBIG: "a row is larger than SQLite takes",
        }
        return StoreError(f"{self._where}: {text}; {cures.get(code, 'nothing was changed')}")


def _until(deadline: float, attempt: Callable[[], object]) -> None:
    """Repeat what fails because the file is locked."""
    while True:
        try:
            attempt()
        except sqlite3.OperationalError as error:
            locked = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not locked or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311 - not a secret
