"""How the query is just now, from what it writes beside its tables."""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from streaming import deadletters
from streaming.engine import statistics
from streaming.engine.statistics import MINUTE_MS
from streaming.engine.summaries import DAY, Sums
from streaming.figures import read_figures
from streaming.position import at
from streaming.query.progress import read_progress
from streaming.store import lease, models
from streaming.store.contract import Store
from streaming.store.lease import Holder

SHOWN_BATCHES = 60
MOST_LETTERS = 10_000
_WINDOW_MS = 5 * MINUTE_MS
_SILENT_MS = 60_000
"""A query tells of itself every ten seconds at least, even if there is nothing to do."""


@dataclass(slots=True)
class _Seen:
    holder: Holder
    since: float


class Watch:
    """Tells a holder of the index that lives from one that is silent, by watching it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: _Seen | None = None

    def lives(self, holder: Holder) -> bool:
        """Whether a holder beat within its time, as far as was seen; a new one gets the doubt."""
        with self._lock:
            now = time.monotonic()
            if self._seen is None or self._seen.holder != holder:
                self._seen = _Seen(holder, now)
            silent = now - self._seen.since
        return not holder.process.is_gone() and silent <= holder.duration_ms / 1000


def now(store: Store, watch: Watch, now_ms: int) -> dict[str, Any]:
    """Tell how the query is, as values for JSON."""
    holder, progress = lease.holder(store), read_progress(store)
    batches = list(read_figures(store, SHOWN_BATCHES))
    known = models.read(store)
    heard = progress is not None and now_ms - progress["at_ms"] < _SILENT_MS
    running = watch.lives(holder) if holder else heard
    return {
        "now_ms": now_ms,
        "state": "running" if running else "stopped" if progress or batches else "empty",
        "owner": holder
        and {
            "host": holder.process.host,
            "pid": holder.process.pid,
            "since_ms": holder.since_ms,
        },
        "progress": progress,
        "batches": [_brief(each) for each in batches],
        "last": batches[0] if batches else None,
        "rate": _rate(store, now_ms),
        "dead_letters": _letters(store, now_ms),
        "models": {"followed": known.followed, "known": sorted(known.logs)},
    }


def _brief(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        "started_ms": figures["started_ms"],
        "events": figures["events"],
        "judged": figures["judged"],
        "duplicates": figures["duplicates"],
        "refused": sum(figures["refused"].values()),
        "seconds": round(sum(figures["seconds"].values()), 3),
    }


def _rate(store: Store, now_ms: int) -> dict[str, Any]:
    """Count the last whole minutes: the one that has just begun would look like a decline."""
    end = now_ms - now_ms % MINUTE_MS
    sums = Sums()
    for count in statistics.read(store, end - _WINDOW_MS, end):
        sums.count(count.outcome, count.articles)
    articles = sums.outcomes.total()
    return {
        "seconds": _WINDOW_MS // 1000,
        "articles": articles,
        "repeats": sums.repeats,
        "per_second": round(articles * 1000 / _WINDOW_MS, 3),
    }


def _letters(store: Store, now_ms: int) -> dict[str, Any]:
    """Count the dead letters of a day, up to a number."""
    rows = store.scan(
        deadletters.TABLE,
        at(now_ms - DAY.length_ms),
        at(now_ms + MINUTE_MS),
        limit=MOST_LETTERS,
        keys_only=True,
    )
    found = sum(1 for _ in rows)
    return {"hours": 24, "count": found, "more": found >= MOST_LETTERS}
