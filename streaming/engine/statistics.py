"""Dedup rates: one time-line row per article, rolled up by recomputing whole minutes.

Counting up would count twice whenever a batch runs again. So the time line says, for the
minute in which an article first appeared, what became of it, under the attempt's token
like the verdict itself; and a minute's counts are always made anew from its rows, under a
token of their own: counts made from more rows have the larger one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from streaming.engine.judge import Judged
from streaming.matching.content import Content
from streaming.matching.verdict import Verdict
from streaming.position import at, timestamp_ms
from streaming.store import ownership
from streaming.store.contract import Mutation, Store

TIMELINE = "timeline"
ROLLUP = "rollup"
MINUTE_MS = 60_000
SCORES = 100
"""In how many parts of 1 scores are counted."""
_VOID = b""
_NAMES = b"\n"
"""What parts an outcome from the article that is repeated; JSON on one line has none."""
_GAP_MS = 60 * MINUTE_MS
_TIME_BYTES = len(at(0))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an article, as far as rates are concerned; the unit of counting.

    ``score`` is that of the best match or, without one, of the best candidate that the
    ``check`` refused, in hundredths, rounded down; None if there was neither, or if only an
    editor relates the two.
    """

    channel: str
    source: str
    relation: str | None
    tier: str | None
    distance: int | None
    score: int | None = None
    check: str | None = None

    @classmethod
    def of(cls, content: Content, verdict: Verdict) -> "Outcome":
        """Give what a verdict says of an article with this content."""
        if verdict.best is None:
            refused = verdict.reason or {"score": None, "why": None}
            score = _hundredths(refused["score"])
            return cls(content.channel, content.source, None, None, None, score, refused["why"])
        found = verdict.best.finding
        return cls(
            content.channel,
            content.source,
            found.relation.value,
            found.tier_label,
            found.distance,
            _hundredths(found.similarity),
        )

    def encode(self) -> bytes:
        """Encode as the part of a time-line value that is counted."""
        return orjson.dumps(
            [
                self.channel,
                self.source,
                self.relation,
                self.tier,
                self.distance,
                self.score,
                self.check,
            ]
        )


@dataclass(frozen=True, slots=True)
class Appearance:
    """An article on the time line: the minute it first appeared in, and what became of it."""

    minute_ms: int
    article: str
    outcome: Outcome
    duplicate_of: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many articles of a minute had one outcome; ``minute_ms`` is epoch milliseconds."""

    minute_ms: int
    outcome: Outcome
    articles: int

    def fields(self) -> dict[str, Any]:
        """Give the fields as they are exported."""
        return {
            "minute_ms": self.minute_ms,
            "channel": self.outcome.channel,
            "source": self.outcome.source,
            "relation": self.outcome.relation,
            "tier": self.outcome.tier,
            "distance": self.outcome.distance,
            "score": self.outcome.score,
            "check": self.outcome.check,
            "articles": self.articles,
        }


def record(store: Store, judged: Iterable[Judged], token: bytes) -> set[int]:
    """Write the time line of judged articles; gives the minutes that it touched."""
    mutations, touched = [], set()
    for item in judged:
        for moment, value in _cells(item):
            touched.add(moment)
            mutations.append(Mutation(at(moment) + item.article.encode(), {token: value}))
    store.mutate(TIMELINE, mutations)
    return touched


def roll_up(store: Store, minutes: Iterable[int]) -> None:
    """Count these minutes anew from the time line."""
    wanted = set(minutes)
    if not wanted:
        return
    token = ownership.next_token(store)
    for low, high in _ranges(wanted):
        counts: dict[int, Counter[bytes]] = defaultdict(Counter)
        for row, cells in store.scan(TIMELINE, at(low), at(high)):
            value = cells[max(cells)]
            if value != _VOID:
                counts[timestamp_ms(row)][value.partition(_NAMES)[0]] += 1
        known = dict(store.scan(ROLLUP, at(low), at(high)))
        mutations = []
        for minute in sorted(m for m in wanted if low <= m < high):
            row = at(minute)
            outdated = tuple(old for old in known.get(row, {}) if old < token)
            mutations.append(Mutation(row, {token: encode_counts(counts[minute])}, outdated))
        store.mutate(ROLLUP, mutations)


def read(store: Store, begin_ms: int | None = None, end_ms: int | None = None) -> Iterator[Count]:
    """Read counts of minutes in ``[begin_ms, end_ms)``, in order of time."""
    start = b"" if begin_ms is None else at(begin_ms)
    stop = None if end_ms is None else at(end_ms)
    for row, cells in store.scan(ROLLUP, start, stop):
        for value, articles in orjson.loads(cells[max(cells)]):
            yield Count(timestamp_ms(row), Outcome(*value), articles)


def appearances(
    store: Store, begin_ms: int, end_ms: int, limit: int | None = None
) -> Iterator[Appearance]:
    """Read who appeared in minutes of ``[begin_ms, end_ms)``, in order of the minutes.

    ``limit`` bounds the rows that are read.
    """
    for row, cells in store.scan(TIMELINE, at(begin_ms), at(end_ms), limit=limit):
        value = cells[max(cells)]
        if value != _VOID:
            encoded, _, name = value.partition(_NAMES)
            yield Appearance(
                timestamp_ms(row),
                row[_TIME_BYTES:].decode(),
                Outcome(*orjson.loads(encoded)),
                name.decode() or None,
            )


def _cells(item: Judged) -> Iterator[tuple[int, bytes]]:
    """What the time line says of one article: its outcome, and voids where it stood before.

    An edited article whose `first` went down left rows in later minutes; which ones cannot
    be known from what changed, so every later minute of its contents is voided.
    """
    if item.row.first is None:
        return
    first = _minute(item.row.first)
    yield first, _outcome(item)
    for moment in {_minute(p) for p, content in item.row.contents.items() if content is not None}:
        if moment != first:
            yield moment, _VOID


def _outcome(item: Judged) -> bytes:
    content, verdict = item.row.current, item.verdict
    if content is None or verdict is None:
        return _VOID
    named = (verdict.duplicate_of or "").encode()
    return Outcome.of(content, verdict).encode() + _NAMES + named


def _hundredths(score: float | None) -> int | None:
    # What is 0.29 in decimals may be a little less in binary.
    return None if score is None else int(score * SCORES + 1e-6)


def encode_counts(counts: Counter[bytes]) -> bytes:
    """Encode the counts of a minute by encoded outcome; equal counts give equal bytes."""
    return orjson.dumps([[orjson.loads(value), counts[value]] for value in sorted(counts)])


def _minute(position: bytes) -> int:
    moment = timestamp_ms(position)
    return moment - moment % MINUTE_MS


def _ranges(minutes: set[int]) -> Iterator[tuple[int, int]]:
    """Cover minutes with few half-open ranges; a scan over a small gap beats another scan."""
    ordered = sorted(minutes)
    begin = end = None
    for minute in ordered:
        if begin is not None and end is not None and minute - end > _GAP_MS:
            yield begin, end
            begin = None
        begin = minute if begin is None else begin
        end = minute + MINUTE_MS
    if begin is not None and end is not None:
        yield begin, end
