"""Sums over ten minutes, hours and days, for readers who ask about months.

They are made anew from what they are the sum of, as counts of a minute are made from its
articles: the tens that touched minutes lie in from all their minutes, then the hours from all
their tens, then the days from all their hours. Each step takes a token of its own after what it
sums is written, so whoever has the larger token has seen what the other one wrote. The steps are
small because a batch pays for them: at 100 articles a second an hour is summed up in a sixth of
the time that its minutes would take.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from streaming.engine import statistics
from streaming.engine.statistics import MINUTE_MS
from streaming.matching.verdict import REPEATS
from streaming.position import at, timestamp_ms
from streaming.store import ownership
from streaming.store.contract import Mutation, Store

SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Grain:
    """A length of time that is summed up: its first byte in row keys, and milliseconds of UTC."""

    prefix: bytes
    length_ms: int

    def begin(self, moment_ms: int) -> int:
        """Give the beginning of the period that a moment lies in."""
        return moment_ms - moment_ms % self.length_ms

    def row(self, begin_ms: int) -> bytes:
        """Give the row of the period that begins then."""
        return self.prefix + at(begin_ms)


TEN_MINUTES = Grain(b"m", 10 * MINUTE_MS)
HOUR = Grain(b"h", 60 * MINUTE_MS)
DAY = Grain(b"d", 24 * 60 * MINUTE_MS)
GRAINS = (TEN_MINUTES, HOUR, DAY)


Group = Literal["channel", "source"]
GROUPS: tuple[Group, ...] = ("channel", "source")
"""By what articles are counted; so an outcome begins."""


@dataclass(slots=True)
class Sums:
    """How many articles there were, in all of a period.

    ``outcomes`` counts by channel, source, relation and tier. The others are of the whole
    newsroom: ``distances`` by bits, ``scores`` by relation, check and hundredths, as
    `statistics.Outcome` has them.
    """

    outcomes: Counter[tuple[str, str, str | None, str | None]] = field(default_factory=Counter)
    distances: Counter[int] = field(default_factory=Counter)
    scores: Counter[tuple[str | None, str | None, int]] = field(default_factory=Counter)

    def count(self, outcome: statistics.Outcome, articles: int) -> None:
        """Add articles that had one outcome."""
        self.outcomes[outcome.channel, outcome.source, outcome.relation, outcome.tier] += articles
        if outcome.distance is not None:
            self.distances[outcome.distance] += articles
        if outcome.score is not None:
            self.scores[outcome.relation, outcome.check, outcome.score] += articles

    def add(self, other: "Sums") -> None:
        """Add the sums of another period."""
        self.outcomes.update(other.outcomes)
        self.distances.update(other.distances)
        self.scores.update(other.scores)

    def by(self, group: Group) -> tuple[Counter[str], Counter[str]]:
        """Count the articles by channel or source, and those that repeat an earlier one."""
        articles: Counter[str] = Counter()
        repeats: Counter[str] = Counter()
        place = GROUPS.index(group)
        for outcome, n in self.outcomes.items():
            name = outcome[place] or ""
            articles[name] += n
            if outcome[2] in REPEATS:
                repeats[name] += n
        return articles, repeats

    @property
    def repeats(self) -> int:
        """How many of the articles repeat an earlier one."""
        return sum(n for (_, _, relation, _), n in self.outcomes.items() if relation in REPEATS)

    def encode(self) -> bytes:
        """Encode as a cell value; equal sums give equal bytes."""
        return orjson.dumps(
            [_listed(each) for each in (self.outcomes, self.scores)]
            + [sorted(self.distances.items())]
        )

    @classmethod
    def decode(cls, cell: bytes) -> "Sums":
        """Read `encode`'s bytes."""
        outcomes, scores, distances = orjson.loads(cell)
        return cls(
            Counter({(c, s, r, t): n for c, s, r, t, n in outcomes}),
            Counter(dict(distances)),
            Counter({(r, check, score): n for r, check, score, n in scores}),
        )


def summarise(store: Store, minutes: Iterable[int], grains: Iterable[Grain] = GRAINS) -> None:
    """Sum up anew the periods that these minutes lie in, from their rolled up counts.

    ``grains`` go from fine to coarse, each a multiple of the one before. To be called after
    `statistics.roll_up` of the same minutes, and again whenever that is.
    """
    touched = set(minutes)
    finer: Grain | None = None
    for grain in grains:
        touched = {grain.begin(moment) for moment in touched}
        if touched:
            _sum_up(store, grain, finer, sorted(touched))
        finer = grain


def read(store: Store, grain: Grain, begin_ms: int, end_ms: int) -> Iterator[tuple[int, Sums]]:
    """Read the sums of periods that begin in ``[begin_ms, end_ms)``, in order of time."""
    for row, cells in store.scan(SUMMARY, grain.row(begin_ms), grain.row(end_ms)):
        yield timestamp_ms(row[len(grain.prefix) :]), Sums.decode(cells[max(cells)])


def _sum_up(store: Store, grain: Grain, finer: Grain | None, periods: list[int]) -> None:
    token = ownership.next_token(store)
    known = store.rows(SUMMARY, [grain.row(begin) for begin in periods])
    mutations = []
    for begin in periods:
        row = grain.row(begin)
        outdated = tuple(old for old in known.get(row, {}) if old < token)
        sums = _sums(store, finer, begin, begin + grain.length_ms)
        mutations.append(Mutation(row, {token: sums.encode()}, outdated))
    store.mutate(SUMMARY, mutations)


def _sums(store: Store, finer: Grain | None, begin_ms: int, end_ms: int) -> Sums:
    total = Sums()
    if finer is None:
        for count in statistics.read(store, begin_ms, end_ms):
            total.count(count.outcome, count.articles)
    else:
        for _, sums in read(store, finer, begin_ms, end_ms):
            total.add(sums)
    return total


def _listed(counts: Counter[Any]) -> list[list[Any]]:
    listed = [[*key, articles] for key, articles in counts.items()]
    return sorted(listed, key=orjson.dumps)
