"""A newsroom that goes on publishing, whatever becomes of the servers."""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice

import orjson

from producers.newsroom import Mix, Newsroom
from producers.records import Record
from streaming.errors import SourceError
from streaming.settings import Settings
from streaming.sinks import Sink, open_sink
from streaming.topics import ensure_topic
from streaming.urls import KafkaUrl
from tests.faults.query import Stuck

MIX = Mix(updated=0.08, deleted=0.04, repeated=0.03, malformed=0.01)
"""More edits and withdrawals than a newsroom has: they are what makes batches depend."""

_OVERRULED = 0.04
_REMEMBERED = 200
_RETRY_SECONDS = 1.0
_FLUSH_EVENTS = 16
_LOOK_SECONDS = 0.5


def edited_news(seed: int) -> Iterator[Record]:
    """Simulated events without end: articles, edits, withdrawals, repetitions, bad ones.

    Now and then an editor overrules what became of an article.
    """
    channels = {int(number): name for number, name in Settings().channels.items()}
    newsroom = Newsroom(
        seed, channels=channels, start=datetime(2026, 1, 5, tzinfo=UTC), mix=MIX, pool_size=256
    )
    rng = random.Random(seed)
    recent: deque[str] = deque(maxlen=_REMEMBERED)
    for event in newsroom:
        yield event.record
        if event.record.key:
            recent.append(event.record.key.decode())
        if len(recent) > 1 and rng.random() < _OVERRULED:
            yield _override(rng, *rng.sample(recent, 2))


def _override(rng: random.Random, article: str, other: str) -> Record:
    ruling = rng.choice(("original", "original", "not_duplicate", "released"))
    event = {"event": ruling, "article_id": article, "other_id": other, "by": "night desk"}
    return Record(article.encode(), orjson.dumps(event), None)


def publish(topic: KafkaUrl, records: Iterable[Record], partitions: int) -> int:
    """Publish to a topic, which is made if need be; gives the number of records."""
    ensure_topic(topic, partitions=partitions)
    with closing(open_sink(topic)) as sink:
        for record in records:
            sink.send(record.key, record.value)
        sink.flush()
        return sink.acknowledged


class Feed:
    """Publishes events to a topic from a thread, ``rate`` per second, until it is stopped.

    It waits while more than ``ahead`` events are published that ``read`` does not count as read.
    What the broker did not acknowledge is sent again, so the topic may hold an event twice.
    """

    def __init__(
        self,
        topic: KafkaUrl,
        seed: int,
        *,
        rate: float,
        partitions: int,
        ahead: int,
        read: Callable[[], int],
    ) -> None:
        self._topic = topic
        self._ahead = ahead
        self._read = read
        self._partitions = partitions
        self._events = edited_news(seed)
        self._gap = 1 / rate
        self._flowing = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0

    def start(self, at_once: int) -> None:
        """Publish some events at once, the others at the rate."""
        self.sent += publish(self._topic, islice(self._events, at_once), self._partitions)
        self._flowing.set()
        self._thread.start()

    def pause(self) -> None:
        """Publish nothing until `resume`, but for what is on its way."""
        self._flowing.clear()

    def resume(self) -> None:
        """Go on."""
        self._flowing.set()

    def stop(self, seconds: float) -> None:
        """Publish nothing any more; returns when all that was published is acknowledged.

        Raises Stuck if that takes too long.
        """
        self._stopping.set()
        self._flowing.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        if self._thread.is_alive():
            raise Stuck(f"{self._topic}: not everything was acknowledged in {seconds:.0f} s")

    def _run(self) -> None:
        unsure: list[Record] = []
        while unsure or not self._stopping.is_set():
            try:
                with closing(open_sink(self._topic)) as sink:
                    self._publish(sink, unsure)
            except SourceError:
                # The broker is away; whoever killed it starts it again.
                self._stopping.wait(_RETRY_SECONDS)

    def _publish(self, sink: Sink, unsure: list[Record]) -> None:
        """Send what is unsure, then new events, until asked to stop; SourceError in between."""
        for event in unsure:
            sink.send(event.key, event.value)
        while True:
            sink.flush()
            self.sent += len(unsure)
            unsure.clear()
            for event in islice(self._events, _FLUSH_EVENTS):
                unsure.append(event)
                sink.send(event.key, event.value)
                self._flowing.wait()
                if self._stopping.wait(self._gap):
                    break
            while self.sent - self._read() > self._ahead and not self._stopping.is_set():
                self._stopping.wait(_LOOK_SECONDS)
            if self._stopping.is_set():
                sink.flush()
                self.sent += len(unsure)
                unsure.clear()
                return
