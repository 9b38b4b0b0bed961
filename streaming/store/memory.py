"""The store of one process's memory, for tests: the contract without anything around it.

Nothing is durable and nothing is shared with other processes; after a fork the child goes
on with a copy.
"""

import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from threading import RLock

from streaming.store.contract import (
    Cells,
    Mutation,
    TableSpec,
    check_comparison,
    check_rows,
    check_same,
    merged_chunks,
    unknown_table,
)
from streaming.store.statistics import OperationStatistics, Recorder

_PAGE_ROWS = 256
_CHUNK_ROWS = 1000
_CHUNK_BYTES = 1 << 20


class _Table:
    """Rows and their sorted keys. A row's cells are replaced, never changed in place."""

    def __init__(self, spec: TableSpec) -> None:
        self.spec = spec
        self.rows: dict[bytes, Cells] = {}
        self.written: dict[tuple[bytes, bytes], float] = {}
        self.keys: list[bytes] = []

    def put(self, row: bytes, cells: Cells, now: float) -> None:
        self.set(row, self.rows.get(row, {}) | cells)
        self.written.update(((row, qualifier), now) for qualifier in cells)

    def expire(self, before: float) -> int:
        gone = [place for place, written in self.written.items() if written < before]
        for row, qualifier in gone:
            self.set(row, {q: v for q, v in self.rows.get(row, {}).items() if q != qualifier})
            del self.written[row, qualifier]
        return len(gone)

    def set(self, row: bytes, cells: Cells) -> None:
        if cells and row not in self.rows:
            insort(self.keys, row)
        elif not cells and row in self.rows:
            del self.keys[bisect_left(self.keys, row)]
        if cells:
            self.rows[row] = cells
        else:
            self.rows.pop(row, None)


class _Space:
    """The tables behind one name, with the lock that guards them."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.tables: dict[str, _Table] = {}


_spaces: dict[str, _Space] = {}
_spaces_lock = RLock()


class MemoryStore:
    """`Store` in memory; all stores of one ``name`` in a process are the same.

    ``clock`` gives the seconds by which cells expire.
    """

    def __init__(
        self, name: str, tables_prefix: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        with _spaces_lock:
            self._space = _spaces.setdefault(name, _Space())
        self._where = f"memory:{name}"
        self._prefix = tables_prefix
        self._clock = clock
        self._recorder = Recorder()

    def _table(self, table: str) -> _Table:
        found = self._space.tables.get(self._prefix + table)
        if found is None:
            raise unknown_table(self._prefix + table, self._where)
        return found

    def rows(self, table: str, keys: Sequence[bytes]) -> dict[bytes, Cells]:
        """See `Store.rows`."""
        check_rows(keys)
        with self._recorder.request("rows", len(keys)), self._space.lock:
            rows = self._table(table).rows
            return {key: dict(rows[key]) for key in keys if key in rows}

    def mutate(self, table: str, mutations: Iterable[Mutation]) -> None:
        """See `Store.mutate`; a row's puts and deletes are seen at once."""
        for chunk in merged_chunks(mutations, most_rows=_CHUNK_ROWS, most_bytes=_CHUNK_BYTES):
            with self._recorder.request("mutate", len(chunk)), self._space.lock:
                found = self._table(table)
                for mutation in chunk:
                    found.put(mutation.row, mutation.put, self._clock())
                    if mutation.delete:
                        cells = found.rows.get(mutation.row, {})
                        left = {q: v for q, v in cells.items() if q not in mutation.delete}
                        found.set(mutation.row, left)

    def delete_rows(self, table: str, keys: Sequence[bytes]) -> None:
        """See `Store.delete_rows`."""
        check_rows(keys)
        with self._recorder.request("delete_rows", len(keys)), self._space.lock:
            found = self._table(table)
            for key in keys:
                found.set(key, {})

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        limit: int | None = None,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, Cells]]:
        """See `Store.scan`."""
        left = limit
        while left is None or left > 0:
            size = _PAGE_ROWS if left is None else min(_PAGE_ROWS, left)
            with self._recorder.request("scan") as request, self._space.lock:
                found = self._table(table)
                begin = bisect_left(found.keys, start)
                end = len(found.keys) if stop is None else bisect_left(found.keys, stop)
                page = [
                    (key, {} if keys_only else dict(found.rows[key]))
                    for key in found.keys[begin : min(end, begin + size)]
                ]
                request.rows = len(page)
            yield from page
            if len(page) < size:
                return
            start = page[-1][0] + b"\0"
            left = None if left is None else left - len(page)

    def compare_and_put(
        self, table: str, row: bytes, qualifier: bytes, expected: bytes | None, value: bytes
    ) -> bool:
        """See `Store.compare_and_put`."""
        check_comparison(row, expected, value)
        with self._recorder.request("compare_and_put", 1), self._space.lock:
            found = self._table(table)
            cells = found.rows.get(row, {})
            current = cells.get(qualifier) or None
            if current not in (expected, value):
                return False
            found.put(row, {qualifier: value}, self._clock())
            return True

    def ensure_tables(self, tables: Sequence[TableSpec]) -> None:
        """See `Store.ensure_tables`."""
        with self._space.lock:
            for spec in tables:
                name = self._prefix + spec.name
                found = self._space.tables.setdefault(name, _Table(spec)).spec
                check_same(replace(found, name=name), spec, self._where)

    def missing_tables(self, tables: Sequence[TableSpec]) -> list[str]:
        """See `Store.missing_tables`."""
        return [spec.name for spec in tables if self._prefix + spec.name not in self._space.tables]

    def drop_tables(self, tables: Sequence[TableSpec]) -> None:
        """See `Store.drop_tables`."""
        with self._space.lock:
            for spec in tables:
                self._space.tables.pop(self._prefix + spec.name, None)

    def expire(self, tables: Sequence[TableSpec]) -> int:
        """See `Store.expire`."""
        with self._space.lock:
            return sum(
                self._table(spec.name).expire(self._clock() - spec.ttl)
                for spec in tables
                if spec.ttl is not None
            )

    def ping(self) -> str:
        """See `Store.ping`."""
        return f"{self._where}, {len(self._space.tables)} tables in this process"

    def statistics(self) -> dict[str, OperationStatistics]:
        """See `Store.statistics`."""
        return self._recorder.snapshot()

    def close(self) -> None:
        """Do nothing: the rows stay for as long as the process lives."""
