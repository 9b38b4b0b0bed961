"""Look at the index now and then: which alerts stand, and tell of those that come and go."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Event, Lock, Thread
from typing import Any

from streaming.alerts import HOT_ARTICLES, Alert, Numbers, Rule, alerts, by_rule
from streaming.dashboard.index import Index, NoIndex
from streaming.dashboard.now import Watch
from streaming.engine import summaries
from streaming.engine.summaries import DAY, HOUR, Sums
from streaming.errors import LeitongError
from streaming.figures import read_figures
from streaming.query.progress import read_progress
from streaming.store import keys, lease
from streaming.store.contract import Store
from streaming.store.index import HEADS, TAILS

EVERY_SECONDS = 10.0
WINDOW_HOURS = 6
USUAL_DAYS = 14
_BATCHES = 30
_LAGS = 8
_HEADS_A_LOOK = 5_000
_MOST_WAITING = 1_000
_log = logging.getLogger(__name__)

Send = Callable[[list[dict[str, Any]]], None]
"""Hands events on; raises LeitongError if that has to be tried again."""


class HotKeys:
    """Walks over all index entries, a part at each look, for keys that very many carry."""

    def __init__(self) -> None:
        self.count: int | None = None
        self.carried: dict[str, int] = {}
        self._from = b""
        self._counting = 0
        self._found: dict[str, int] = {}

    def look(self, store: Store) -> None:
        """Look at the next part; after the last one `count` and `carried` are those of all."""
        rows = store.scan(HEADS, self._from, limit=_HEADS_A_LOOK)
        last, looked = b"", 0
        for row, cells in rows:
            last, looked = row, looked + 1
            if any(qualifier[:1] == keys.BOUNDARY for qualifier in cells):
                self._counting += 1
                tail = store.scan(TAILS, row, keys.after(row), limit=HOT_ARTICLES, keys_only=True)
                carriers = len(cells) + sum(1 for _ in tail)
                if carriers >= HOT_ARTICLES:
                    key = keys.key_of(row)
                    self._found[f"{key.tier.label} {key.value:016x}"] = carriers
        if looked < _HEADS_A_LOOK:
            self.count, self.carried = self._counting, self._found
            self._from, self._counting, self._found = b"", 0, {}
        else:
            self._from = last + b"\0"


class Watcher:
    """Knows which alerts stand; safe to ask while it looks.

    ``send`` gets an event when an alert is raised and when it is cleared. What could not be
    sent is sent with the next look; after a restart those that stand are raised again.
    """

    def __init__(
        self, index: Index, watch: Watch, clock: Callable[[], float], send: Send | None = None
    ) -> None:
        self._index = index
        self._watch = watch
        self._clock = clock
        self._send = send
        self._lock = Lock()
        self._standing: dict[tuple[Rule, str | None], Alert] = {}
        self._lags: deque[tuple[int, int]] = deque(maxlen=_LAGS)
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MOST_WAITING)
        self._hot = HotKeys()

    @property
    def standing(self) -> list[Alert]:
        """The alerts that stand, as of the last look."""
        with self._lock:
            return list(self._standing.values())

    @property
    def hot_buckets(self) -> int | None:
        """How many keys more articles carry than are seen; None before all were looked at."""
        return self._hot.count

    def counts(self) -> dict[str, int]:
        """Count the alerts that stand by rule."""
        return by_rule(self.standing)

    def look(self) -> None:
        """Look once; StoreError if the store does not answer."""
        now_ms = int(self._clock() * 1000)
        try:
            store, _ = self._index.open()
        except NoIndex:
            return
        self._hot.look(store)
        found = {(each.rule, each.subject): each for each in alerts(self._numbers(store, now_ms))}
        with self._lock:
            before, self._standing = self._standing, found
        changes = [("raised", found[name]) for name in found.keys() - before.keys()]
        changes += [("cleared", before[name]) for name in before.keys() - found.keys()]
        for state, alert in changes:
            _log.warning("%s: %s %s %s", state, alert.rule, alert.subject or "", alert.message)
            self._waiting.append({**alert.fields(), "state": state, "at_ms": now_ms})
        if self._send is not None and self._waiting:
            self._send(list(self._waiting))
        self._waiting.clear()

    def _numbers(self, store: Store, now_ms: int) -> Numbers:
        holder, progress = lease.holder(store), read_progress(store)
        batches = list(read_figures(store, _BATCHES))
        lag: int | None = progress["lag_records"] if progress else None
        if progress and lag is not None and (progress["at_ms"], lag) not in self._lags:
            self._lags.append((progress["at_ms"], lag))
        window, hour = Sums(), HOUR.begin(now_ms) - HOUR.length_ms
        begin = HOUR.begin(now_ms) - (WINDOW_HOURS - 1) * HOUR.length_ms
        for _, sums in summaries.read(store, HOUR, begin, now_ms + 1):
            window.add(sums)
        return Numbers(
            window=window,
            hour=_hour(store, hour),
            usual=[_hour(store, hour - n * DAY.length_ms) for n in range(1, USUAL_DAYS + 1)],
            lags=[each for _, each in self._lags],
            batches=batches,
            silent_ms=now_ms - batches[0]["started_ms"] if batches else None,
            expected=holder is not None and (bool(lag) or not self._watch.lives(holder)),
            hot=self._hot.carried,
        )


def _hour(store: Store, begin_ms: int) -> Sums:
    found = islice(summaries.read(store, HOUR, begin_ms, begin_ms + 1), 1)
    return next((sums for _, sums in found), Sums())


@contextmanager
def watching(watcher: Watcher, every: float = EVERY_SECONDS) -> Iterator[None]:
    """Look again and again, from a thread, while the context is open."""
    ending = Event()

    def work() -> None:
        while True:
            began = time.monotonic()
            try:
                watcher.look()
            except LeitongError as error:
                _log.info("alerts: %s", error)
            except Exception:  # noqa: BLE001 - a defect of ours: the page goes on, and the log has it
                _log.exception("alerts were not looked at")
            if ending.wait(max(0.0, every - (time.monotonic() - began))):
                return

    thread = Thread(target=work, name="alerts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(timeout=every)
