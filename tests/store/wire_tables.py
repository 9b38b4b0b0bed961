"""What HBase does with rows that come through its Thrift 1 service, on tables in memory.

`Tables` is a handler of happybase's own description of the service, as far as the store
asks for it. As in HBase, a deletion hides whatever was put in the same millisecond or
before, the puts of a request go before its deletions, and a row at a time is atomic.

Left out: versions, attributes, regions, columns by which to choose.
"""

import time
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from threading import RLock
from typing import Any

from streaming.store.hbase_connection import thrift1

Columns = dict[bytes, bytes]
"""Family, colon and qualifier to value."""

_KEYS_ONLY = b"FirstKeyOnlyFilter() AND KeyOnlyFilter()"


@dataclass(slots=True)
class _Row:
    columns: Columns = field(default_factory=dict)
    # The latest deletion of a column, and of a family; in milliseconds.
    deleted: dict[bytes, int] = field(default_factory=dict)
    # The latest put of a column, in seconds.
    written: dict[bytes, float] = field(default_factory=dict)

    def put(self, column: bytes, value: bytes, now: int) -> None:
        if now > max(self.deleted.get(name, -1) for name in (column, _family(column))):
            self.columns[column] = value
            self.written[column] = time.time()

    def young(self, ttl: int) -> Columns:
        """Give the columns whose time to live, in seconds and negative for ever, is not over."""
        if ttl < 0:
            return self.columns
        oldest = time.time() - ttl
        return {column: v for column, v in self.columns.items() if self.written[column] >= oldest}

    def delete(self, name: bytes, now: int) -> None:
        """Delete a column, or with a name that has no colon, all columns of a family."""
        self.deleted[name] = now
        for column in list(self.columns):
            if name in (column, _family(column)):
                del self.columns[column]


class _Table:
    def __init__(self, families: Iterable[Any]) -> None:
        self.families = {family.name.rstrip(b":"): family for family in families}
        self.ttl = max((family.timeToLive for family in families), default=-1)
        self.enabled = True
        self.rows: dict[bytes, _Row] = {}
        self.keys: list[bytes] = []

    def row(self, key: bytes) -> _Row:
        if key not in self.rows:
            insort(self.keys, key)
            self.rows[key] = _Row()
        return self.rows[key]

    def found(self, keys: Iterable[bytes]) -> Iterator[tuple[bytes, Columns]]:
        for key in keys:
            columns = self.rows[key].young(self.ttl) if key in self.rows else None
            if columns:
                yield key, columns


@dataclass(slots=True)
class _Scanner:
    table: bytes
    start: bytes
    stop: bytes | None
    keys_only: bool


class Tables:
    """The handler; ``log`` holds every row as each change of it left it, in order."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.log: list[tuple[bytes, Columns]] = []
        self.asked: list[int] = []
        self.scanners: dict[int, _Scanner] = {}
        self._tables: dict[bytes, _Table] = {}
        self._numbers = count(1)

    def create(self, table: str, family: str = "c") -> None:
        """Make a table, as somebody else has."""
        described = thrift1.ColumnDescriptor(name=family.encode() + b":", maxVersions=1)
        self.createTable(table.encode(), [described])

    def fill(self, table: str, rows: Mapping[bytes, Columns]) -> None:
        """Put rows, as somebody else has."""
        batches = [
            thrift1.BatchMutation(
                key, [thrift1.Mutation(column=c, value=v) for c, v in columns.items()]
            )
            for key, columns in rows.items()
        ]
        self.mutateRows(table.encode(), batches, {})

    def columns(self, table: str) -> dict[bytes, Columns]:
        """Give what a table holds."""
        with self.lock:
            found = self._tables[table.encode()]
            return {key: dict(columns) for key, columns in found.found(found.keys)}

    def _table(self, name: bytes) -> _Table:
        if name not in self._tables:
            raise _io_error("TableNotFoundException", name)
        if not self._tables[name].enabled:
            raise _io_error("TableNotEnabledException", name)
        return self._tables[name]

    # The names are Thrift's from here on.

    def getTableNames(self) -> list[bytes]:  # noqa: N802
        return sorted(self._tables)

    def getColumnDescriptors(self, table: bytes) -> dict[bytes, Any]:  # noqa: N802
        families = self._table(table).families
        return {name + b":": described for name, described in families.items()}

    def createTable(self, table: bytes, families: list[Any]) -> None:  # noqa: N802
        with self.lock:
            if table in self._tables:
                raise thrift1.AlreadyExists(message=b"table name already in use")
            self._tables[table] = _Table(families)

    def isTableEnabled(self, table: bytes) -> bool:  # noqa: N802
        return self._tables[table].enabled

    def disableTable(self, table: bytes) -> None:  # noqa: N802
        self._table(table).enabled = False

    def deleteTable(self, table: bytes) -> None:  # noqa: N802
        with self.lock:
            assert not self._tables.pop(table).enabled

    def get(self, table: bytes, row: bytes, column: bytes, _: Any) -> list[Any]:
        with self.lock:
            return [
                thrift1.TCell(value=columns[column], timestamp=1)
                for _, columns in self._table(table).found([row])
                if column in columns
            ]

    def getRows(self, table: bytes, rows: list[bytes], _: Any) -> list[Any]:  # noqa: N802
        self.asked.append(len(rows))
        with self.lock:
            return [_result(*row) for row in self._table(table).found(rows)]

    def mutateRows(self, table: bytes, batches: list[Any], _: Any) -> None:  # noqa: N802
        with self.lock:
            for deletes in (False, True):
                for batch in batches:
                    self._mutate(
                        table, batch.row, [m for m in batch.mutations if m.isDelete is deletes]
                    )

    def _mutate(self, name: bytes, key: bytes, mutations: list[Any]) -> None:
        table = self._table(name)
        now = time.monotonic_ns() // 1_000_000
        for mutation in mutations:
            if _family(mutation.column) not in table.families:
                raise _io_error("NoSuchColumnFamilyException", mutation.column)
            if mutation.isDelete:
                table.row(key).delete(mutation.column, now)
            else:
                table.row(key).put(mutation.column, mutation.value, now)
        if mutations:
            self.log.append((key, dict(table.row(key).columns)))

    def checkAndPut(  # noqa: N802
        self, table: bytes, row: bytes, column: bytes, value: bytes | None, mput: Any, _: Any
    ) -> bool:
        with self.lock:
            found = dict(self._table(table).found([row])).get(row, {})
            # An empty cell counts as absent.
            if (found.get(column) or None) != value:
                return False
            self._mutate(table, row, [mput])
            return True

    def scannerOpenWithScan(self, table: bytes, scan: Any, _: Any) -> int:  # noqa: N802
        assert scan.filterString in (None, _KEYS_ONLY)
        with self.lock:
            self._table(table)
            number = next(self._numbers)
            self.scanners[number] = _Scanner(
                table, scan.startRow, scan.stopRow or None, scan.filterString is not None
            )
            return number

    def scannerGetList(self, number: int, rows: int) -> list[Any]:  # noqa: N802
        with self.lock:
            scanner = self._scanner(number)
            table = self._table(scanner.table)
            begin = bisect_left(table.keys, scanner.start)
            end = None if scanner.stop is None else bisect_left(table.keys, scanner.stop)
            page = list(islice(table.found(table.keys[begin:end]), rows))
            if page:
                scanner.start = page[-1][0] + b"\0"
            return [
                _result(key, {min(columns): b""} if scanner.keys_only else columns)
                for key, columns in page
            ]

    def scannerClose(self, number: int) -> None:  # noqa: N802
        with self.lock:
            self._scanner(number)
            del self.scanners[number]

    def _scanner(self, number: int) -> _Scanner:
        if number not in self.scanners:
            raise thrift1.IllegalArgument(message=b"scanner ID is invalid")
        return self.scanners[number]


def _family(column: bytes) -> bytes:
    return column.partition(b":")[0]


def _result(key: bytes, columns: Columns) -> Any:
    cells = {column: thrift1.TCell(value=v, timestamp=1) for column, v in columns.items()}
    return thrift1.TRowResult(row=key, columns=cells)


def _io_error(kind: str, what: bytes) -> Exception:
    text = f"org.apache.hadoop.hbase.{kind}: {what.decode(errors='replace')}\n\tat org.apache"
    error: Exception = thrift1.IOError(message=text.encode())
    return error
