"""A store that cannot be written, and that answers no question without end."""

from collections.abc import Iterator, Sequence

from streaming.errors import LeitongError
from streaming.store.contract import Cells, Store, TableSpec
from streaming.store.statistics import OperationStatistics


class TooMuch(LeitongError):  # noqa: N818 - what a question asked for
    """A question needs more of the store than one may."""


class ReadOnly:
    """The reading half of a `Store`, for one question.

    ``rows`` is how many rows it may give in all before it raises `TooMuch`. What writes is not
    hidden but missing: there is no way past it.
    """

    def __init__(self, store: Store, rows: int) -> None:
        self._store = store
        self._left = rows

    def rows(self, table: str, keys: Sequence[bytes]) -> dict[bytes, Cells]:
        """See `Store.rows`."""
        self._spend(len(keys))
        return self._store.rows(table, keys)

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
        for found in self._store.scan(table, start, stop, limit=limit, keys_only=keys_only):
            self._spend(1)
            yield found

    def missing_tables(self, tables: Sequence[TableSpec]) -> list[str]:
        """See `Store.missing_tables`."""
        return self._store.missing_tables(tables)

    def ping(self) -> str:
        """See `Store.ping`."""
        return self._store.ping()

    def statistics(self) -> dict[str, OperationStatistics]:
        """See `Store.statistics`."""
        return self._store.statistics()

    def _spend(self, rows: int) -> None:
        self._left -= rows
        if self._left < 0:
            raise TooMuch("this would read too much of the index: ask for a shorter time")
