"""Publish articles: check them, stamp them, hand them over at a rate, and count exactly."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from producers.records import Record
from producers.sources import Item
from streaming.errors import SourceError
from streaming.events import Event, EventParser
from streaming.reasons import Rejected
from streaming.sinks import Sink

Invalid = Literal["stop", "skip", "send"]
"""What to do with an event that is not valid."""

Timestamps = Literal["now", "published"]
"""Whether the log stamps a message when it takes it, or it has its article's time."""

_FLUSH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to publish. `limit` is a number of items, `rate` items per second; None is all.

    With `validate` off, events are sent without being reported.
    """

    timestamps: Timestamps = "now"
    invalid: Invalid = "stop"
    validate: bool = True
    limit: int | None = None
    rate: float | None = None


@dataclass(slots=True)
class Tally:
    """What was done so far.

    `sent` was handed to the sink, `acknowledged` is durable: equal at the end, unless the
    sink failed. `invalid` counts by reason, `skipped` those that were left out. `undated`
    were to be stamped with a time they do not have.
    """

    sent: int = 0
    acknowledged: int = 0
    bytes: int = 0
    skipped: int = 0
    undated: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    interrupted: bool = False


class Pace:
    """Spreads steps evenly over time: `rate` per second, counted from the first.

    A step that comes late is not made up for faster than the rate, beyond what a tenth of
    a second holds. `clock` returns seconds; `wait` waits for a number of them.
    """

    _CATCH_UP_SECONDS = 0.1

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        if not rate > 0 or math.isinf(rate):
            raise ValueError("a rate is a positive number of items per second")
        self._interval = 1 / rate
        self._clock = clock
        self._wait = wait
        self._due: float | None = None

    def step(self) -> None:
        """Wait until the next step is due."""
        now = self._clock()
        due = now if self._due is None else max(self._due, now - self._CATCH_UP_SECONDS)
        if due > now:
            self._wait(due - now)
        self._due = due + self._interval


class Publisher:
    """Publishes items through a sink.

    `stop` asks to end: what was handed over by then is finished and counted. It is called
    back with every invalid item (`on_invalid`), every one that was sent (`on_sent`), and
    after each of either (`on_progress`).
    """

    def __init__(
        self,
        sink: Sink,
        parser: EventParser,
        options: Options | None = None,
        *,
        stop: threading.Event | None = None,
        on_invalid: Callable[[Item, Rejected], None] | None = None,
        on_sent: Callable[[Item], None] | None = None,
        on_progress: Callable[[Tally], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._parser = parser
        self._options = options or Options()
        self._stop = stop or threading.Event()
        self._on_invalid = on_invalid
        self._on_sent = on_sent
        self._on_progress = on_progress
        self._clock = clock
        rate = self._options.rate
        self._pace = None if rate is None else Pace(rate, clock, self._stop.wait)
        self._last_published: int | None = None
        self._flushed = clock()

    def publish(self, items: Iterable[Item]) -> Tally:
        """Publish until the items, or the limit, or the patience of the user, end.

        Raises SourceError for an invalid item if the options say so, naming its place, and
        when the source or the sink breaks; what was handed over before is then still
        finished, and the message says how much that was.
        """
        tally = Tally()
        begun = self._clock()
        before = self._sink.acknowledged
        try:
            for item in islice(items, self._options.limit):
                if self._stop.is_set():
                    break
                self._one(item, tally)
                tally.seconds = self._clock() - begun
                if self._on_progress is not None:
                    self._on_progress(tally)
            self._sink.flush()
        except SourceError as error:
            done = self._finished() - before
            raise SourceError(f"{error}\n{done} articles were published before that") from error
        tally.interrupted = self._stop.is_set()
        tally.acknowledged = self._sink.acknowledged - before
        tally.seconds = self._clock() - begun
        return tally

    def _one(self, item: Item, tally: Tally) -> None:
        event = self._check(item)
        if isinstance(event, Rejected) and self._options.validate and not item.as_is:
            tally.invalid[event.reason] += 1
            if self._on_invalid is not None:
                self._on_invalid(item, event)
            if self._options.invalid == "stop":
                raise SourceError(
                    f"{item.where}: {event}; correct it, or pass such articles over with "
                    "--invalid skip, or send them all the same with --invalid send"
                )
            if self._options.invalid == "skip":
                tally.skipped += 1
                return
        if item.record is None:
            tally.skipped += 1
            return
        if self._pace is not None:
            self._pace.step()
            if self._stop.is_set():
                return
        self._send(item, item.record, event, tally)

    def _check(self, item: Item) -> Event | Rejected:
        if item.record is None:
            if item.problem is None:
                raise ValueError("an item has a record or a problem")
            return item.problem
        return self._parser.parse(item.record.value, item.record.key, item.record.headers)

    def _send(self, item: Item, record: Record, event: Event | Rejected, tally: Tally) -> None:
        key = record.key
        if key is None and isinstance(event, Event) and not item.as_is:
            key = event.article_id.encode()
        timestamp_ms = None
        if self._options.timestamps == "published":
            own = record.timestamp_ms
            if own is None and isinstance(event, Event):
                own = event.published_ms
            if own is None:
                tally.undated += 1
                # Its neighbours know best: sources are mostly in order of time.
                own = self._last_published
            else:
                own = max(own, 0)
                self._last_published = own
            timestamp_ms = own
        self._sink.send(key, record.value, record.headers, timestamp_ms)
        tally.sent += 1
        tally.bytes += len(record.value or b"")
        if self._on_sent is not None:
            self._on_sent(item)
        # At a rate, readers wait for single articles; otherwise full buffers matter more.
        if self._pace is not None and self._clock() - self._flushed >= _FLUSH_SECONDS:
            self._sink.flush()
            self._flushed = self._clock()

    def _finished(self) -> int:
        with suppress(SourceError):  # the error that is being raised says more
            self._sink.flush()
        return self._sink.acknowledged
