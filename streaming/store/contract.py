"""What every backend of the store promises: one sorted map of rows to cells per table.

Everything above it (key encoding, buckets, verdicts) is written once against `Store`.
A row key is 1 to 32 000 bytes; a qualifier and a value may be empty. A row without cells
does not exist.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

from streaming.errors import StoreError
from streaming.store.statistics import OperationStatistics

LONGEST_ROW_KEY = 32_000
"""Bytes of the longest row key: HBase takes 32 767, of a name of table, key and date together."""

CARRIED_BYTES = 32
"""What lengths, types and a family's name add to a row key or a cell on its way, about."""

Cells = dict[bytes, bytes]
"""Qualifier to value; a table has one column family, which is left out."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table as the code knows it; backends add their prefix to ``name``.

    ``salted``: the first byte of every row key is uniform over 0..255, so the table can be
    split evenly before it holds anything. ``large_values``: values of kilobytes that are
    read seldom and are compressed already; they should not displace index rows in caches.
    Whatever ``max_versions`` is, `Store` reads the newest value only. ``ttl`` is in seconds:
    a cell that was not put again for that long, by the clock of the server, may vanish at
    any time, each for itself; None keeps cells.
    """

    name: str
    family: str = "c"
    salted: bool = True
    max_versions: int = 1
    large_values: bool = False
    ttl: int | None = None


class Mutation(NamedTuple):
    """A change of one row: ``delete`` these qualifiers, then ``put`` these cells.

    A qualifier in both ends up put. Empty mutations are allowed and change nothing.
    """

    row: bytes
    put: Cells
    delete: tuple[bytes, ...] = ()


class Store(Protocol):
    """A sorted, durable map of tables to rows to cells, shared by many processes.

    Objects may be used by several threads at once and after a fork. Every method raises
    `StoreUnavailable` if the store did not answer before its deadline (trying again is
    safe), and `StoreError` if it refused: a table that does not exist, a full disk.

    *Not* promised by any method: order between overlapping calls; a snapshot over several
    rows; that an attempt whose connection broke is never applied *after* the call returned
    or raised. Whoever writes must therefore write what commutes, or may be repeated late:
    cells named by position, or fenced by a token.
    """

    def rows(self, table: str, keys: Sequence[bytes]) -> dict[bytes, Cells]:
        """Read rows by key, any number of them; duplicates are allowed, missing rows absent.

        Each row is seen as of one moment, different rows perhaps of different ones.
        The order of the result means nothing.
        """
        ...

    def mutate(self, table: str, mutations: Iterable[Mutation]) -> None:
        """Apply mutations and return when all of them are durable.

        Mutations of one row are applied in the order given, as if they were one. All puts
        of a row become visible together, and all its deletes together, *after* the puts:
        between them a reader may see both the new cells and those about to go, and a crash
        may leave it so until the call is repeated. (HBase's Thrift service sends them
        apart; the other backends do both at once.) A row that occurs again more than a few
        thousand rows later may be sent in two parts, in order.

        Not atomic over rows: if it raises, any subset of the rows may have been changed.
        Idempotent. Durable means surviving the death of every process, and on HBase that
        of a machine; see the backend for power cuts.

        A put that starts after a call that deleted the same cell has returned is kept.
        On HBase this rests on its clocks: see `streaming.store.hbase`.
        """
        ...

    def delete_rows(self, table: str, keys: Sequence[bytes]) -> None:
        """Delete rows with all their cells; those that do not exist are ignored.

        Atomic per row, idempotent; a put after it is kept as with `mutate`.
        """
        ...

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        limit: int | None = None,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, Cells]]:
        """Yield rows in byte order from ``start`` (inclusive) to ``stop`` (exclusive).

        ``keys_only`` yields empty cells and reads no values. Rows are read in pages while
        the iterator is consumed, each row whole; it holds nothing open between pages and
        may be consumed slowly or dropped. A row written or deleted meanwhile may or may not
        be seen. No row is yielded twice.
        """
        ...

    def compare_and_put(
        self, table: str, row: bytes, qualifier: bytes, expected: bytes | None, value: bytes
    ) -> bool:
        """Put ``value`` if the cell holds ``expected`` (None: is absent); say if it holds it now.

        True if the cell held ``expected`` and was put, *or held* ``value`` *already*; so a
        call whose answer was lost can be repeated, and is. Hence two contenders must never
        offer the same value: it must name its writer (an owner, a random token), or both
        are told that they won. Atomic over all processes.

        False means another value won; if the connection broke meanwhile it may also mean
        that ours was put and has been replaced since. `StoreUnavailable` leaves it open.
        ``value`` and ``expected`` may not be empty: HBase takes an empty cell for an
        absent one here, so every backend does.
        """
        ...

    def ensure_tables(self, tables: Sequence[TableSpec]) -> None:
        """Create the tables that are missing; never alter one.

        Raises `StoreError` naming the difference if one exists with another family or
        another number of versions or time to live. Safe to call from several processes at once.
        """
        ...

    def missing_tables(self, tables: Sequence[TableSpec]) -> list[str]:
        """Names (without prefix) of those of ``tables`` that do not exist."""
        ...

    def drop_tables(self, tables: Sequence[TableSpec]) -> None:
        """Remove tables with everything in them; those that do not exist are ignored."""
        ...

    def expire(self, tables: Sequence[TableSpec]) -> int:
        """Remove cells whose time to live is over; gives how many.

        Does nothing where the server sees to it by itself. A put that is under way keeps
        its cell: what was put again is not removed, however old it was before.
        """
        ...

    def ping(self) -> str:
        """One line about the server and its version; `StoreUnavailable` if it is not there."""
        ...

    def statistics(self) -> dict[str, OperationStatistics]:
        """Give what this process has asked of the store so far, per operation."""
        ...

    def close(self) -> None:
        """Let go of connections that are not in use. The store opens new ones if used again."""
        ...


def check_rows(rows: Iterable[bytes]) -> None:
    """Raise ValueError if one of ``rows`` cannot be a row key in every backend."""
    for size in set(map(len, rows)):
        if not 0 < size <= LONGEST_ROW_KEY:
            raise ValueError(f"a row key of {size} bytes; allowed are 1 to {LONGEST_ROW_KEY}")


def check_comparison(row: bytes, expected: bytes | None, value: bytes) -> None:
    """Raise ValueError if a `Store.compare_and_put` has no meaning in every backend."""
    check_rows((row,))
    if not value or expected == b"":
        raise ValueError("an empty value cannot be compared: HBase takes it for an absent cell")


def unknown_table(table: str, where: str) -> StoreError:
    """Build the error for a table that does not exist."""
    return StoreError(
        f"{where}: there is no table {table!r}; create the tables with `leitong store init`"
    )


def check_same(found: TableSpec, wanted: TableSpec, where: str) -> None:
    """Raise StoreError naming the difference if a table that exists is not the one wanted."""
    differences = [
        f"{field} is {getattr(found, field)!r} instead of {getattr(wanted, field)!r}"
        for field in ("family", "max_versions", "ttl")
        if getattr(found, field) != getattr(wanted, field)
    ]
    if differences:
        raise StoreError(
            f"{where}: table {found.name!r} exists but is another one: {', '.join(differences)}; "
            "choose another prefix, or drop the table if nothing needs it"
        )


def merged_chunks(
    mutations: Iterable[Mutation], *, most_rows: int, most_bytes: int
) -> Iterator[list[Mutation]]:
    """Merge mutations of the same row and cut them into chunks of bounded size.

    In what comes out a row occurs once per chunk, and no qualifier is both put and deleted;
    rows without any change are left out. ``most_bytes`` counts keys, qualifiers and values,
    and `CARRIED_BYTES` with every row and cell. A chunk exceeds it only by a mutation that
    does so alone, or by the last one of a row that is in the chunk already.
    """
    merged: dict[bytes, Mutation] = {}
    size = 0
    for mutation in mutations:
        row = mutation.row
        if not 0 < len(row) <= LONGEST_ROW_KEY:
            check_rows((row,))
        added = _size(mutation)
        earlier = merged.get(row)
        another = len(merged) >= most_rows or size + added > most_bytes
        if size >= most_bytes or (merged and another and earlier is None):
            yield _changes(merged)
            merged, size, earlier = {}, 0, None
        if earlier is not None:
            merged[row] = _merge(earlier, mutation)
        else:
            # Without its overlap, if there can be one.
            merged[row] = _merge(Mutation(row, {}), mutation) if mutation.delete else mutation
        size += added
    if merged:
        yield _changes(merged)


def _changes(merged: dict[bytes, Mutation]) -> list[Mutation]:
    return [mutation for mutation in merged.values() if mutation.put or mutation.delete]


def _size(mutation: Mutation) -> int:
    row, put, delete = mutation
    size = len(row) + CARRIED_BYTES * (1 + len(put) + len(delete))
    # Written out, since most rows have one cell, and there are very many of them.
    for qualifier, value in put.items():
        size += len(qualifier) + len(value)
    for qualifier in delete:
        size += len(qualifier)
    return size


def _merge(earlier: Mutation, later: Mutation) -> Mutation:
    """Give one mutation that does what two did: what is put last stays, what is deleted goes."""
    put = {q: v for q, v in earlier.put.items() if q not in later.delete} | later.put
    delete = dict.fromkeys((*earlier.delete, *later.delete))
    return Mutation(earlier.row, put, tuple(q for q in delete if q not in put))


def chunked(items: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Cut into lists of at most ``size``."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk
