"""What a process asks of its store: requests, rows and seconds per operation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from time import perf_counter


@dataclass(slots=True)
class OperationStatistics:
    """Totals since the process opened the store.

    ``requests`` counts round trips (HBase), statements or transactions (SQLite);
    ``rows`` the rows asked for, written or yielded; ``seconds`` includes waiting and
    retries; ``retries`` the attempts beyond the first.
    """

    requests: int = 0
    rows: int = 0
    seconds: float = 0.0
    retries: int = 0


class Recorder:
    """Collects `OperationStatistics` by operation; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._totals: dict[str, OperationStatistics] = {}

    @contextmanager
    def request(self, operation: str, rows: int = 0) -> Iterator[OperationStatistics]:
        """Time one request. What is added to the yielded record counts as well."""
        mine = OperationStatistics(requests=1, rows=rows)
        began = perf_counter()
        try:
            yield mine
        finally:
            mine.seconds += perf_counter() - began
            with self._lock:
                total = self._totals.setdefault(operation, OperationStatistics())
                total.requests += mine.requests
                total.rows += mine.rows
                total.seconds += mine.seconds
                total.retries += mine.retries

    def snapshot(self) -> dict[str, OperationStatistics]:
        """Copy the totals."""
        with self._lock:
            return {operation: replace(total) for operation, total in self._totals.items()}
