"""Publish how far the query is: lag, rates, the state it is in.

Kept in the ``meta`` table for readers that never touch Spark. Outside the law that the
tables are a function of the log, like everything that has to do with time.
"""

import json
import time
from typing import Any

import orjson
from pyspark.sql.streaming.query import StreamingQuery

from streaming.settings import Settings
from streaming.store.contract import Mutation, Store
from streaming.store.ownership import META
from streaming.urls import FileUrl, LogUrl

_ROW = b"progress"
_LATEST = b"latest"


class ProgressPublisher:
    """Writes each finished trigger of a query once."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._source = LogUrl.parse(settings.query.source)
        self._published: tuple[int, str] | None = None

    def publish(self, query: StreamingQuery) -> None:
        """Publish the latest trigger, if it is new."""
        progress = query.lastProgress
        if progress is None:
            return
        this = (progress["batchId"], progress["timestamp"])
        if this == self._published:
            return
        self._published = this
        document = orjson.dumps(
            {
                "at_ms": int(time.time() * 1000),
                "source": str(self._source),
                "batch_id": progress["batchId"],
                "records_per_second": progress["processedRowsPerSecond"],
                "trigger_ms": progress["durationMs"].get("triggerExecution"),
                "lag_records": self._lag(progress),
            }
        )
        self._store.mutate(META, [Mutation(_ROW, {_LATEST: document})])

    def _lag(self, progress: Any) -> int | None:
        """Give the records of the log that no batch has read yet; None if that is not known."""
        source = progress["sources"][0]
        if isinstance(self._source, FileUrl):
            return None
        end, latest = (_offsets(source[name]) for name in ("endOffset", "latestOffset"))
        if end is None or latest is None:
            return None
        return sum(
            latest[topic][partition] - end.get(topic, {}).get(partition, 0)
            for topic in latest
            for partition in latest[topic]
        )


def read_progress(store: Store) -> dict[str, Any] | None:
    """Give what was published last; None if no query ever ran."""
    cell = store.rows(META, [_ROW]).get(_ROW, {}).get(_LATEST)
    return orjson.loads(cell) if cell else None


def _offsets(document: Any) -> dict[str, dict[str, int]] | None:
    """Read what Spark says of a Kafka source; it says nothing, or "", before the first batch."""
    if isinstance(document, str) and document:
        document = json.loads(document)
    return document if isinstance(document, dict) else None
