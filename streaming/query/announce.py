"""Send verdict events and dead letters to their topics, through outages of the broker."""

import contextlib
from collections.abc import Iterable, Mapping

from streaming.announcements import Message
from streaming.errors import LeitongError
from streaming.sinks import Sink, open_sink
from streaming.topics import describe_topic, ensure_topic
from streaming.urls import KafkaUrl, LogUrl


class Announcer:
    """A topic, or a file log, that is opened when there is something to send.

    A sink that failed is thrown away, so that the batch that comes again finds a new one.
    Without an address, everything sent is dropped.
    """

    def __init__(self, url: str | None, topic: str, kafka: Mapping[str, str]) -> None:
        self._url = LogUrl.parse(url) if url else None
        self._topic = topic
        self._kafka = kafka
        self._sink: Sink | None = None

    def check(self) -> None:
        """Raise SourceError if a topic that is there cannot be written, or its broker is away."""
        if isinstance(self._url, KafkaUrl):
            describe_topic(self._url, self._kafka, "Write")

    def send(self, messages: Iterable[Message]) -> None:
        """Send and wait until all of it is durable; SourceError if it is not.

        After an error any part of it may have been sent.
        """
        if self._url is None:
            return
        try:
            for each in messages:
                self._open().send(each.key, each.value, each.headers)
            if self._sink:
                self._sink.flush()
        except BaseException:
            sink, self._sink = self._sink, None
            if sink:
                with contextlib.suppress(LeitongError):
                    sink.close()
            raise

    def close(self) -> None:
        """Let go of the sink, if one is open."""
        if self._sink:
            self._sink.close()
            self._sink = None

    def _open(self) -> Sink:
        if self._sink is None and self._url is not None:
            if isinstance(self._url, KafkaUrl):
                ensure_topic(self._url, self._kafka)
                self._sink = open_sink(self._url, self._kafka)
            else:
                self._sink = open_sink(self._url, topic=self._topic, partitions=1)
        if self._sink is None:
            raise ValueError("there is no address to send to")
        return self._sink
