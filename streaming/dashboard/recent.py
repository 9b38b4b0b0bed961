"""The newest articles of an index whose tables can only be read forward.

The sums tell how far back so many articles go; from there the time line is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from streaming.engine import statistics, summaries
from streaming.engine.statistics import MINUTE_MS, Appearance
from streaming.engine.summaries import DAY, GRAINS, HOUR, SUMMARY
from streaming.position import timestamp_ms
from streaming.store.contract import Store

_MOST_EMPTY_DAYS = 30


@dataclass(frozen=True, slots=True)
class Walk:
    """The newest articles of a time, the newest minute first.

    ``begin_ms`` is how far back it went, ``complete`` whether that is all of the time.
    """

    found: tuple[Appearance, ...]
    begin_ms: int
    complete: bool


def newest_ms(store: Store) -> int | None:
    """Give the latest minute in which an article appeared; None if there is none."""
    rows = store.scan(SUMMARY, DAY.prefix, DAY.prefix + b"\xff" * 9, keys_only=True)
    days = [timestamp_ms(row[len(DAY.prefix) :]) for row, _ in rows]
    for day in days[: -_MOST_EMPTY_DAYS - 1 : -1]:
        hours = [b for b, s in summaries.read(store, HOUR, day, day + DAY.length_ms) if s.outcomes]
        if hours:
            end = hours[-1] + HOUR.length_ms
            return max(count.minute_ms for count in statistics.read(store, hours[-1], end))
    return None


def walk_back(store: Store, begin_ms: int, end_ms: int, want: int) -> Walk:
    """Read about the ``want`` newest articles of ``[begin_ms, end_ms)``; never twice as many."""
    start = max(begin_ms, _go_back(store, begin_ms, end_ms, want))
    rows = list(statistics.appearances(store, start, end_ms, 2 * want))
    return Walk(tuple(reversed(rows)), start, start <= begin_ms and len(rows) < 2 * want)


def _go_back(store: Store, begin_ms: int, end_ms: int, want: int) -> int:
    """Give a minute from which on there are at least so many articles, or ``begin_ms``."""
    high, left = end_ms, want
    low = begin_ms
    for grain in reversed(GRAINS):
        # Whole periods that fit; the one that holds the answer is looked into more finely.
        for start, articles in reversed(list(_sums(store, grain, low, high))):
            if articles >= left:
                low = max(low, start)
                high = min(high, start + grain.length_ms)
                break
            left -= articles
        else:
            return begin_ms
    minutes: dict[int, int] = {}
    for count in statistics.read(store, low, high):
        minutes[count.minute_ms] = minutes.get(count.minute_ms, 0) + count.articles
    for minute in sorted(minutes, reverse=True):
        left -= minutes[minute]
        if left <= 0:
            return minute
    return low


def _sums(
    store: Store, grain: summaries.Grain, begin_ms: int, end_ms: int
) -> Iterator[tuple[int, int]]:
    for start, sums in summaries.read(store, grain, grain.begin(begin_ms), end_ms):
        yield start, sums.outcomes.total()


def end_of_minute(moment_ms: int) -> int:
    """Give the end of the minute that a moment lies in."""
    return moment_ms - moment_ms % MINUTE_MS + MINUTE_MS
