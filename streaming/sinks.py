"""Where messages are written: a Kafka topic, a file log, or memory.

Producers, verdict events and dead letters all write through a `Sink`.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from streaming.errors import SourceError
from streaming.filelog import FileLogWriter
from streaming.urls import FileUrl, KafkaUrl, LogUrl

Headers = Iterable[tuple[str, bytes | None]]


class Sink(Protocol):
    """Takes messages and makes them durable.

    `acknowledged` counts the messages known to be durable; after `flush` that is all.
    One thread uses a sink at a time.
    """

    @property
    def acknowledged(self) -> int:
        """How many messages are known to be durable."""
        ...

    def send(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> None:
        """Hand over one message; durable only after `flush`.

        Without a timestamp the log stamps it. Raises SourceError when this or an earlier
        message was refused. May wait while too much is on its way.
        """
        ...

    def flush(self) -> None:
        """Wait until everything handed over is durable; SourceError if it is not."""
        ...

    def close(self) -> None:
        """Flush and let go of everything. May be called again."""
        ...


class Message(NamedTuple):
    """A message as it was handed to a `MemorySink`."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int | None


class MemorySink:
    """A double for tests: keeps messages, and refuses the one numbered `fail_at` from 0 on."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.messages: list[Message] = []
        self.closed = False
        self._fail_at = fail_at
        self._acknowledged = 0

    @property
    def acknowledged(self) -> int:
        """How many messages were flushed."""
        return self._acknowledged

    def send(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> None:
        """Keep one message, or raise SourceError if it is the one to refuse."""
        if len(self.messages) == self._fail_at:
            raise SourceError(f"memory: message {self._fail_at} was refused, as asked")
        self.messages.append(Message(key, value, tuple(headers), timestamp_ms))

    def flush(self) -> None:
        """Count everything kept as durable."""
        self._acknowledged = len(self.messages)

    def close(self) -> None:
        """Flush."""
        self.flush()
        self.closed = True


class FileLogSink:
    """Writes a file log through the only `FileLogWriter` it may have."""

    def __init__(self, writer: FileLogWriter) -> None:
        self._writer = writer

    @property
    def acknowledged(self) -> int:
        """How many messages are in place."""
        return self._writer.durable

    def send(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> None:
        """Append one record."""
        self._writer.append(key, value, headers, timestamp_ms)

    def flush(self) -> None:
        """Put all records in place."""
        self._writer.flush()

    def close(self) -> None:
        """Put all records in place and release the log."""
        self._writer.close()


def open_sink(
    url: str | KafkaUrl | FileUrl,
    kafka_properties: Mapping[str, str] | None = None,
    *,
    topic: str | None = None,
    partitions: int | None = None,
) -> Sink:
    """Open the sink of an address; `topic` and `partitions` are for a new file log.

    Raises SettingsError for an address that is none, SourceError when it cannot be written.
    """
    target = LogUrl.parse(url) if isinstance(url, str) else url
    if isinstance(target, KafkaUrl):
        # Importing a Kafka client takes half a second, which file logs need not wait.
        from streaming.kafkasink import KafkaSink  # noqa: PLC0415

        return KafkaSink(target, kafka_properties)
    return FileLogSink(FileLogWriter(target.directory, topic, partitions))
