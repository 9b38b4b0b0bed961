"""Publish how far the query is: offsets, lag, rates.

Kept in the ``meta`` table for readers that never touch Spark. Outside the law that the
tables are a function of the log, like everything that has to do with time.
"""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from streaming.logformat import end_offsets
from streaming.settings import Settings
from streaming.store.contract import Mutation, Store
from streaming.store.ownership import META
from streaming.urls import FileUrl, LogUrl

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery

_ROW = b"progress"
_LATEST = b"latest"
_OFFSET = b"offset:"


class ProgressPublisher:
    """Writes each finished trigger of a query once."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._source = LogUrl.parse(settings.query.source)
        self._published: tuple[int, str] | None = None
        self.lag: int | None = None

    def publish(self, query: "StreamingQuery") -> bool:
        """Publish the latest trigger, if it is new, and say if it is; `lag` is what it said."""
        progress = _last_progress(query)
        if progress is None:
            return False
        this = (progress["batchId"], progress["timestamp"])
        if this == self._published:
            return False
        self._published = this
        self.lag = self._lag(progress)
        document = orjson.dumps(
            {
                "at_ms": int(time.time() * 1000),
                "source": str(self._source),
                "batch_id": progress["batchId"],
                "records_per_second": progress["processedRowsPerSecond"],
                "trigger_ms": progress["durationMs"].get("triggerExecution"),
                "lag_records": self.lag,
            }
        )
        self._store.mutate(META, [Mutation(_ROW, {_LATEST: document})])
        return True

    def _lag(self, progress: Any) -> int | None:
        """Give the records of the log that no batch has read yet; None if that is not known."""
        if isinstance(self._source, FileUrl):
            ends = {str(p): end for p, end in end_offsets(self._source.directory).items()}
        else:
            latest = _offsets(progress["sources"][0]["latestOffset"])
            if latest is None:
                return None
            ends = latest[self._source.topic]
        read = read_offsets(self._store)
        return sum(max(0, end - read.get(partition, 0)) for partition, end in ends.items())


def publish_offsets(store: Store, offsets: Mapping[str, int]) -> None:
    """Publish the offsets after the last records that a batch read, by partition as text.

    They never go back: a replay reads again what was read.
    """
    read = read_offsets(store)
    cells = {
        _OFFSET + partition.encode(): str(max(offset, read.get(partition, 0))).encode()
        for partition, offset in offsets.items()
    }
    store.mutate(META, [Mutation(_ROW, cells)])


def read_offsets(store: Store) -> dict[str, int]:
    """Give the offsets up to which the log was read, by partition as text."""
    cells = store.rows(META, [_ROW]).get(_ROW, {})
    return {
        name.removeprefix(_OFFSET).decode(): int(value)
        for name, value in cells.items()
        if name.startswith(_OFFSET)
    }


def read_progress(store: Store) -> dict[str, Any] | None:
    """Give what was published last; None if no query ever ran."""
    cell = store.rows(META, [_ROW]).get(_ROW, {}).get(_LATEST)
    return orjson.loads(cell) if cell else None


def _last_progress(query: "StreamingQuery") -> dict[str, Any] | None:
    """Give ``query.lastProgress``, which PySpark asks Java for in hundreds of calls, in two."""
    latest = query._jsq.lastProgress()  # noqa: SLF001 - there is no other way to it
    return json.loads(latest.json()) if latest is not None else None


def _offsets(document: Any) -> dict[str, dict[str, int]] | None:
    """Read what Spark says of a Kafka source; None where it says something else.

    After a restart, for one, it has not asked the broker yet and writes words instead.
    """
    try:
        offsets = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return None
    return offsets if isinstance(offsets, dict) else None
