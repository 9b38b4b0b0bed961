"""The store in HBase, through its Thrift 1 service as happybase describes it.

Durable: a mutation is in the write-ahead log when `HBaseStore.mutate` returns, on as many
machines as the log is replicated to.

HBase orders the values and deletions of a cell by the millisecond at which its server
stamped them, and in the same millisecond a deletion hides every value. So a call that
deleted returns only after the clock has moved on, and a later put, from wherever it comes,
has a later stamp; unless that clock is set back, or the region moves to a server whose
clock is behind by more than has passed. Keep the servers' clocks together.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from streaming.errors import StoreError
from streaming.store.contract import (
    CARRIED_BYTES,
    Cells,
    Mutation,
    TableSpec,
    check_comparison,
    check_rows,
    chunked,
    merged_chunks,
)
from streaming.store.hbase_admin import HBaseSettings, Tables
from streaming.store.hbase_connection import Caller, thrift1
from streaming.store.statistics import OperationStatistics, Recorder

Answer = TypeVar("Answer")

_KEYS_PER_GET = 500
_ROWS_PER_PUT = 1_000
# Framed servers refuse requests over 2 MB; a row of more than half of it may still go alone.
_BYTES_PER_PUT = 1 << 20
_ANSWER_BYTES = 1 << 20
_FIRST_PAGE_ROWS = 100
_LARGEST_PAGE_ROWS = 2_000
_AFTER_DELETE_SECONDS = 0.002
_KEYS_ONLY = b"FirstKeyOnlyFilter() AND KeyOnlyFilter()"


@dataclass(slots=True)
class _Answers:
    """How large the answers about a table were, to keep the next ones near a size."""

    bytes_per_row: float = 0.0

    def rows(self, most: int) -> int:
        if not self.bytes_per_row:
            return most
        return max(1, min(most, int(_ANSWER_BYTES / self.bytes_per_row)))

    def saw(self, rows: int, size: int) -> None:
        latest = size / rows
        # Growth counts at once: one answer too many of large rows is one too many.
        self.bytes_per_row = max(latest, (self.bytes_per_row + latest) / 2)


@dataclass(slots=True)
class _Table:
    """What this process knows of a table: its name in HBase, its family and its answers."""

    name: bytes
    family: bytes
    gets: _Answers = field(default_factory=_Answers)
    scans: _Answers = field(default_factory=_Answers)


class HBaseStore:
    """`Store` in HBase; tables are named ``[namespace:]prefix_`` + tables prefix + name."""

    def __init__(self, settings: HBaseSettings, tables_prefix: str = "") -> None:
        self._settings = settings
        self._where = str(settings)
        self._recorder = Recorder()
        self._caller = Caller(thrift1.Hbase, settings.thrift, self._where)
        self._tables = Tables(settings, tables_prefix, self._caller, self._recorder)
        self._seen: dict[str, _Table] = {}

    def rows(self, table: str, keys: Sequence[bytes]) -> dict[bytes, Cells]:
        """See `Store.rows`."""
        check_rows(keys)
        wanted = list(dict.fromkeys(keys))
        known = self._known(table) if wanted else None
        found: dict[bytes, Cells] = {}
        while known and wanted:
            size = known.gets.rows(_KEYS_PER_GET)

            def get(client: Any, attempt: int, chunk: list[bytes] = wanted[:size]) -> Any:
                # An answer may have been too much for somebody on the way: ask for less.
                part = chunk[: max(1, len(chunk) >> attempt)]
                return len(part), client.getRows(known.name, part, {})

            with self._recorder.request("rows") as request:
                asked, answer = self._call("rows", table, get, request)
                request.rows = asked
            received = _cells(answer, known)
            found.update(received)
            known.gets.saw(asked, _size(received))
            del wanted[:asked]
        return found

    def mutate(self, table: str, mutations: Iterable[Mutation]) -> None:
        """See `Store.mutate`."""
        for chunk in merged_chunks(mutations, most_rows=_ROWS_PER_PUT, most_bytes=_BYTES_PER_PUT):
            family = self._known(table).family + b":"
            batch = [
                thrift1.BatchMutation(
                    m.row,
                    [thrift1.Mutation(True, family + q) for q in m.delete]  # noqa: FBT003 - isDelete
                    + [thrift1.Mutation(False, family + q, v) for q, v in m.put.items()],  # noqa: FBT003
                )
                for m in chunk
            ]
            self._send("mutate", table, batch, deletes=any(m.delete for m in chunk))

    def delete_rows(self, table: str, keys: Sequence[bytes]) -> None:
        """See `Store.delete_rows`."""
        check_rows(keys)
        longest = max(map(len, keys), default=0) + CARRIED_BYTES
        for chunk in chunked(dict.fromkeys(keys), min(_ROWS_PER_PUT, _BYTES_PER_PUT // longest)):
            # A family without a qualifier stands for all its cells.
            whole = [thrift1.Mutation(True, self._known(table).family)]  # noqa: FBT003 - isDelete
            batch = [thrift1.BatchMutation(key, whole) for key in chunk]
            self._send("delete_rows", table, batch, deletes=True)

    def _send(self, operation: str, table: str, batch: list[Any], *, deletes: bool) -> None:
        if not batch:
            return
        name = self._known(table).name
        with self._recorder.request(operation, len(batch)) as request:
            self._call(
                operation, table, lambda client, _: client.mutateRows(name, batch, {}), request
            )
            if deletes:
                time.sleep(_AFTER_DELETE_SECONDS)

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        limit: int | None = None,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, Cells]]:
        """See `Store.scan`; each page has a scanner of its own, closed with it."""
        left = limit
        size = _FIRST_PAGE_ROWS
        while (left is None or left > 0) and (stop is None or start < stop):
            known = self._known(table)
            size = size if keys_only else known.scans.rows(size)
            asked = size if left is None else min(size, left)
            with self._recorder.request("scan") as request:
                asked, answer = self._page(table, (start, stop), asked, request, keys_only)
                request.rows = len(answer)
            page = _cells(answer, known)
            if page and not keys_only:
                known.scans.saw(len(page), _size(page))
            for row, cells in page.items():
                yield row, {} if keys_only else cells
            if len(page) < asked:
                return
            start = next(reversed(page)) + b"\0"
            left = None if left is None else left - len(page)
            size = min(2 * size, _LARGEST_PAGE_ROWS)

    def _page(
        self,
        table: str,
        between: tuple[bytes, bytes | None],
        size: int,
        request: OperationStatistics,
        keys_only: bool,  # noqa: FBT001 - private, and named at its definition
    ) -> tuple[int, list[Any]]:
        """Read up to ``size`` rows; give how many were asked for in the end, and the answer."""
        name = self._known(table).name
        start, stop = between

        def read(client: Any, attempt: int) -> tuple[int, list[Any]]:
            asked = max(1, size >> attempt)
            scan = thrift1.TScan(
                startRow=start,
                stopRow=stop,
                caching=asked,
                filterString=_KEYS_ONLY if keys_only else None,
            )
            scanner = client.scannerOpenWithScan(name, scan, {})
            try:
                answer = client.scannerGetList(scanner, asked)
            except (thrift1.IOError, thrift1.IllegalArgument):
                client.scannerClose(scanner)
                raise
            client.scannerClose(scanner)
            return asked, answer

        return self._call("scan", table, read, request)

    def compare_and_put(
        self, table: str, row: bytes, qualifier: bytes, expected: bytes | None, value: bytes
    ) -> bool:
        """See `Store.compare_and_put`."""
        check_comparison(row, expected, value)
        known = self._known(table)
        column = known.family + b":" + qualifier
        put = thrift1.Mutation(False, column, value)  # noqa: FBT003 - isDelete

        def compare(client: Any, _: int) -> bool:
            if client.checkAndPut(known.name, row, column, expected, put, {}):
                return True
            # It may be an earlier attempt that won: ours, or the Thrift server's own.
            cells = client.get(known.name, row, column, {})
            return bool(cells) and cells[0].value == value

        with self._recorder.request("compare_and_put", 1) as request:
            return self._call("compare_and_put", table, compare, request)

    def ensure_tables(self, tables: Sequence[TableSpec]) -> None:
        """See `Store.ensure_tables`; new tables are laid out as `hbase_layout.layout` says."""
        missing = set(self.missing_tables(tables))
        self._seen.clear()
        if missing:
            self._tables.create([spec for spec in tables if spec.name in missing])
        for spec in tables:
            self._tables.check(spec)

    def missing_tables(self, tables: Sequence[TableSpec]) -> list[str]:
        """See `Store.missing_tables`."""
        existing = self._tables.existing()
        return [spec.name for spec in tables if self._tables.physical(spec.name) not in existing]

    def drop_tables(self, tables: Sequence[TableSpec]) -> None:
        """See `Store.drop_tables`."""
        missing = set(self.missing_tables(tables))
        self._seen.clear()
        self._tables.drop([spec for spec in tables if spec.name not in missing])

    def expire(self, tables: Sequence[TableSpec]) -> int:  # noqa: ARG002 - the contract's
        """See `Store.expire`: HBase drops what is too old when it reads and when it compacts."""
        return 0

    def ping(self) -> str:
        """See `Store.ping`; waits for one timeout only, not for the deadline."""
        thrift = self._settings.thrift
        names = self._tables.existing(deadline=min(thrift.timeout, thrift.deadline))
        ours = sum(name.startswith(self._tables.physical("")) for name in names)
        return f"{self._where}, HBase through Thrift 1, {ours} tables under this prefix"

    def statistics(self) -> dict[str, OperationStatistics]:
        """See `Store.statistics`."""
        return self._recorder.snapshot()

    def close(self) -> None:
        """See `Store.close`."""
        self._caller.close()

    def _known(self, table: str) -> _Table:
        known = self._seen.get(table)
        if known is None:
            name, found = self._tables.physical(table), self._tables.families(table)
            if len(found) != 1:
                raise StoreError(
                    f"{self._where}: table {name!r} has {len(found)} column families instead of "
                    "one: it is not one of Leitong's; choose another prefix"
                )
            known = self._seen[table] = _Table(name.encode(), next(iter(found)).encode())
        return known

    def _call(
        self,
        operation: str,
        table: str,
        request: Callable[[Any, int], Answer],
        statistics: OperationStatistics,
    ) -> Answer:
        try:
            return self._tables.call(operation, table, request, statistics)
        except StoreError:
            # It may have been dropped, or made anew with another family.
            self._seen.pop(table, None)
            raise


def _cells(answer: list[Any], known: _Table) -> dict[bytes, Cells]:
    family = len(known.family) + 1
    return {
        result.row: {column[family:]: cell.value for column, cell in result.columns.items()}
        for result in answer
    }


def _size(rows: dict[bytes, Cells]) -> int:
    """Bytes of an answer, as it went over the wire."""
    cell = 40  # timestamps, lengths, types and the family, twice
    return sum(
        len(row) + sum(len(q) + len(v) + cell for q, v in cells.items())
        for row, cells in rows.items()
    )
