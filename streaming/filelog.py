"""The embedded file log: what a Kafka topic is, in a directory, without a broker.

::

    log/
    ├── _log.json                                    topic and number of partitions, for good
    ├── _lock                                        held by the one writer
    ├── articles-0-00000000000000000000.jsonl        an immutable segment
    └── articles-0-00000000000000000250.jsonl        named after its first offset

A segment holds at most 250 records, one JSON line each, as the schema `log-record`
says. It is written under a name that starts with "." and renamed when it is complete
and on disk, so a reader sees all of it or nothing; Spark's file source passes over
names that start with "." or "_". Offsets have no gaps. Order within a partition is the
order of `FileLogWriter.append`; between partitions there is none.
"""

import fcntl
import itertools
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from streaming.errors import SourceError
from streaming.logformat import (
    DESCRIPTION,
    LogDescription,
    LogRecord,
    describe_log,
    encode_record,
    first_offset,
    read_records,
    read_segment,
    segment_name,
    segments,
)
from streaming.urls import check_topic

__all__ = [
    "DEFAULT_PARTITIONS",
    "DEFAULT_TOPIC",
    "MAX_VALUE_BYTES",
    "SEGMENT_RECORDS",
    "FileLogWriter",
    "LogDescription",
    "LogRecord",
    "describe_log",
    "partition_of",
    "read_records",
]

DEFAULT_TOPIC = "articles"
DEFAULT_PARTITIONS = 4
SEGMENT_RECORDS = 250
SEGMENT_BYTES = 64 * 1024 * 1024
"""A segment is closed early at this size: readers take whole segments."""

MAX_VALUE_BYTES = 16 * 1024 * 1024
"""Largest value of a record."""

_LOCK = "_lock"


@dataclass(slots=True)
class _Tail:
    """The end of a partition: what the next record continues, and what is not on disk."""

    next_offset: int = 0
    timestamp_ms: int = 0
    first_offset: int = 0
    lines: list[bytes] = field(default_factory=list)
    size: int = 0


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key, the one Kafka's own clients choose."""
    # Importing a Kafka client takes half a second, which readers of a log need not wait.
    from kafka.partitioner import murmur2  # noqa: PLC0415

    return int(murmur2(key) & 0x7FFFFFFF) % partitions


class FileLogWriter:
    """The one writer of a file log.

    Records become visible to readers, and durable, when their segment is full or with
    `flush`; until then a crash loses them. Opening an existing log continues its offsets.
    `partitions` and `topic` are fixed when the log is created; None takes what is there,
    or 4 and "articles". `clock` returns seconds since 1970.

    A record without a timestamp is stamped on append, never earlier than the record
    before it in its partition (as a topic with LogAppendTime does). Usable as a context
    manager, not by several threads at once.

    Raises SourceError if another writer has the log, if it was created with another topic
    or number of partitions, if it is damaged at its end, or if it cannot be written.
    """

    def __init__(
        self,
        directory: str | Path,
        topic: str | None = None,
        partitions: int | None = None,
        *,
        segment_records: int = SEGMENT_RECORDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if segment_records < 1 or (partitions is not None and partitions < 1):
            raise ValueError("a file log has at least one partition and one record per segment")
        self.directory = Path(directory)
        self._segment_records = segment_records
        self._clock = clock
        self._closed = False
        self._durable = 0
        self._modified_ns = 0
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = self._take_lock()
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self._description = self._open(topic, partitions)
            self._tails = [self._find_tail(each) for each in range(self.partitions)]
            self._modified_ns = max(
                (
                    path.stat().st_mtime_ns
                    for each in range(self.partitions)
                    for path in segments(self.directory, each)[-1:]
                ),
                default=0,
            )
        except BaseException:
            os.close(self._lock)
            raise
        self._next_without_key = itertools.cycle(range(self.partitions))

    @property
    def topic(self) -> str:
        """The topic that records are read back under."""
        return self._description.topic

    @property
    def partitions(self) -> int:
        """The number of partitions, fixed when the log was created."""
        return self._description.partitions

    @property
    def durable(self) -> int:
        """How many of the records appended here are in place."""
        return self._durable

    def append(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]] = (),
        timestamp_ms: int | None = None,
    ) -> tuple[int, int]:
        """Add a record and return its partition and offset.

        Keys choose partitions as Kafka's clients do; records without a key take turns.
        Raises SourceError if the value is larger than 16 MiB, or the disk refuses.
        """
        if self._closed:
            raise ValueError("the file log is closed")
        if value is not None and len(value) > MAX_VALUE_BYTES:
            raise SourceError(
                f"{self.directory}: a value of {len(value)} bytes is more than the "
                f"{MAX_VALUE_BYTES} bytes a record may have"
            )
        if timestamp_ms is not None and timestamp_ms < 0:
            raise ValueError("timestamps before 1970 cannot be kept")
        partition = (
            next(self._next_without_key) if key is None else partition_of(key, self.partitions)
        )
        tail = self._tails[partition]
        if timestamp_ms is None:
            timestamp_ms = max(int(self._clock() * 1000), tail.timestamp_ms)
        offset = tail.next_offset
        line = encode_record(
            LogRecord(self.topic, partition, offset, timestamp_ms, key, value, tuple(headers))
        )
        tail.lines.append(line)
        tail.size += len(line) + 1
        tail.next_offset = offset + 1
        tail.timestamp_ms = timestamp_ms
        if len(tail.lines) >= self._segment_records or tail.size >= SEGMENT_BYTES:
            self._put_in_place(partition)
        return partition, offset

    def flush(self) -> None:
        """Put everything appended so far in place, in segments that may be short."""
        for partition in range(self.partitions):
            self._put_in_place(partition)

    def close(self) -> None:
        """Flush, and let another writer have the log. May be called again."""
        if self._closed:
            return
        try:
            self.flush()
        finally:
            self._closed = True
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take_lock(self) -> int:
        path = self.directory / _LOCK
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            raise SourceError(
                f"{self.directory}: is being written by another producer (process {holder}); "
                "wait until it has finished, or write to a log of your own"
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        return lock

    def _open(self, topic: str | None, partitions: int | None) -> LogDescription:
        found = describe_log(self.directory)
        if found is None:
            strays = sorted(path.name for path in self.directory.glob("*.jsonl"))
            if strays:
                raise SourceError(
                    f"{self.directory}: holds {strays[0]} but is not a file log; "
                    "write to a directory of its own"
                )
            created = LogDescription(
                check_topic(topic or DEFAULT_TOPIC), partitions or DEFAULT_PARTITIONS
            )
            self._write_file(
                DESCRIPTION,
                orjson.dumps({"topic": created.topic, "partitions": created.partitions}) + b"\n",
            )
            return created
        if topic is not None and topic != found.topic:
            raise SourceError(
                f"{self.directory}: is the log of topic {found.topic!r}, not of {topic!r}; "
                "write to a directory of its own"
            )
        if partitions is not None and partitions != found.partitions:
            raise SourceError(
                f"{self.directory}: was created with {found.partitions} partitions, which is "
                f"part of the log; leave out the {partitions}, or write to a new directory"
            )
        return found

    def _find_tail(self, partition: int) -> _Tail:
        own = segments(self.directory, partition)
        for leftover in self.directory.glob(f".{self.topic}-{partition}-*.jsonl"):
            leftover.unlink()
        tail = _Tail()
        if own:
            tail.next_offset = first_offset(own[-1])
            for record in read_segment(own[-1], self.topic, partition):
                tail.next_offset = record.offset + 1
                tail.timestamp_ms = record.timestamp_ms
        tail.first_offset = tail.next_offset
        return tail

    def _put_in_place(self, partition: int) -> None:
        tail = self._tails[partition]
        if not tail.lines:
            return
        name = segment_name(self.topic, partition, tail.first_offset)
        self._write_file(name, b"\n".join([*tail.lines, b""]))
        self._durable += len(tail.lines)
        tail.first_offset = tail.next_offset
        tail.lines = []
        tail.size = 0
        # Only now: a segment that is in place must never be written again.
        self._sync_directory()

    def _write_file(self, name: str, content: bytes) -> None:
        hidden = self.directory / f".{name}"
        try:
            with hidden.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._date(hidden)
            hidden.rename(self.directory / name)
        except OSError as error:
            raise self._unwritable(error) from error

    def _date(self, path: Path) -> None:
        # Spark's file source takes segments in order of their modification time in
        # milliseconds: a segment is never dated like the one before it.
        millisecond = 1_000_000
        modified = path.stat().st_mtime_ns // millisecond
        self._modified_ns = max(modified, self._modified_ns // millisecond + 1) * millisecond
        os.utime(path, ns=(self._modified_ns, self._modified_ns))

    def _sync_directory(self) -> None:
        try:
            directory = os.open(self.directory, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SourceError:
        return SourceError(f"{self.directory}: the file log cannot be written ({error.strerror})")
