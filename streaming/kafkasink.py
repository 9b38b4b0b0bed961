"""Write a Kafka topic."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from kafka import KafkaProducer
from kafka.codec import has_lz4, has_zstd
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.serializer import Serializer

from streaming.errors import SourceError
from streaming.filelog import MAX_VALUE_BYTES
from streaming.kafkaclient import CONNECT_TIMEOUT_MS, client_settings, connected, failure
from streaming.kafkaprobe import check_reachable
from streaming.sinks import Headers
from streaming.urls import KafkaUrl

_IN_FLIGHT_BYTES = 64 * 1024 * 1024
_FLUSH_SECONDS = 150.0
"""How long a flush may take: a little more than the client tries to deliver a message."""
_RIGHT = "Write"

_NULL = object()


class _Values(Serializer):  # type: ignore[misc]  # the client has no types
    """Makes `_NULL` a null value: the client refuses a plain one that has no key either."""

    def serialize(self, topic: str, headers: list[tuple[str, bytes]], data: Any) -> Any:  # noqa: ARG002 - the client's signature
        return None if data is _NULL else data


class KafkaSink:
    """Writes a Kafka topic, each message exactly once per call as long as it lives.

    Idempotent, acknowledged by all replicas, compressed if a fast codec is installed. The
    client buffers without bound, so `send` waits while 64 MiB are on their way. The topic
    must exist: `streaming.topics.ensure_topic` creates it. A header without a value gets
    an empty one: the client cannot send null there.

    Raises SourceError if no broker answers within seconds, or there is no such topic;
    AccessRefused, here or later, if the user may not write it.
    """

    def __init__(self, url: KafkaUrl, properties: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._progress = threading.Condition()
        self._acknowledged = 0
        self._in_flight = 0
        self._failure: SourceError | None = None
        self._closed = False
        settings = {
            "linger_ms": 20,
            "batch_size": 256 * 1024,
            "max_request_size": MAX_VALUE_BYTES + 64 * 1024,
            "max_block_ms": CONNECT_TIMEOUT_MS,
            "reconnect_backoff_max_ms": 2_000,
            "compression_type": _compression(),
            **client_settings(url, properties or {}, KafkaProducer.DEFAULT_CONFIG),
            "value_serializer": _Values(),
            "acks": "all",
            "enable_idempotence": True,
            "allow_auto_create_topics": False,
        }
        check_reachable(url, properties or {})
        try:
            self._producer = connected(KafkaProducer, settings)
        except (KafkaError, ValueError) as error:
            raise failure(url, error, _RIGHT) from error
        try:
            self._producer.partitions_for(url.topic)
        except KafkaError as error:
            self._producer.close(timeout=0)
            if isinstance(error, KafkaTimeoutError):
                # A broker has answered by now: it only never named this topic.
                raise SourceError(
                    f"{url}: there is no such topic; create it first, as 'leitong produce' does"
                ) from error
            raise failure(url, error, _RIGHT) from error

    @property
    def acknowledged(self) -> int:
        """How many messages the brokers have acknowledged."""
        with self._progress:
            return self._acknowledged

    def send(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> None:
        """Hand one message to the client, waiting while too much is on its way."""
        size = len(key or b"") + len(value or b"")
        with self._progress:
            self._progress.wait_for(
                lambda: self._failure is not None or self._in_flight <= _IN_FLIGHT_BYTES
            )
            self._raise_failure()
            self._in_flight += size
        try:
            future = self._producer.send(
                self._url.topic,
                value=_NULL if value is None else value,
                key=key,
                headers=[(name, content or b"") for name, content in headers],
                timestamp_ms=timestamp_ms,
            )
        except (KafkaError, ValueError) as error:
            with self._progress:
                self._in_flight -= size
            raise failure(self._url, error, _RIGHT) from error
        future.add_callback(partial(self._delivered, size))
        future.add_errback(partial(self._refused, size))

    def flush(self) -> None:
        """Wait for all acknowledgements."""
        try:
            self._producer.flush(_FLUSH_SECONDS)
        except KafkaError as error:
            raise failure(self._url, error, _RIGHT) from error
        with self._progress:
            # The client calls back after it has let its own waiters go.
            self._progress.wait_for(
                lambda: self._failure is not None or self._in_flight == 0, _FLUSH_SECONDS
            )
            self._raise_failure()

    def close(self) -> None:
        """Flush and disconnect; after a failure, disconnect only."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._failure is None:
                self.flush()
        finally:
            with suppress(KafkaError):
                self._producer.close(timeout=5)

    def _delivered(self, size: int, _metadata: Any) -> None:
        with self._progress:
            self._acknowledged += 1
            self._in_flight -= size
            self._progress.notify_all()

    def _refused(self, size: int, error: BaseException) -> None:
        with self._progress:
            self._in_flight -= size
            self._failure = self._failure or failure(self._url, error, _RIGHT)
            self._progress.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure.with_traceback(None)


def _compression() -> str | None:
    if has_zstd():
        return "zstd"
    return "lz4" if has_lz4() else None
