"""Rules that say when somebody should look: pure, on the numbers that the page shows.

Each rule says at most so many alerts at a time, and the same alert has the same name for as
long as it stands.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from statistics import mean, pstdev
from typing import Any

from streaming.engine.summaries import GROUPS, Sums

WIPED_SHARE = 0.9
WIPED_LEAST = 50
BAND_LEAST_DAYS = 5
"""Days that have to be known of an hour before its rate can be unusual."""
BAND_LEAST_ARTICLES = 50
BAND_WIDTHS = 3.0
BAND_LEAST_WIDTH = 0.05
LAG_LEAST = 1_000
LAG_BATCHES = 4
"""Lag is growing if it grew between so many sightings in a row, and is not small."""
LETTERS_LEAST = 20
LETTERS_SHARE = 0.05
SILENT_MS = 10 * 60_000
HOT_ARTICLES = 5_000
_MOST_OF_A_RULE = 20


class Rule(StrEnum):
    """What can be wrong."""

    WIPED_OUT = "wiped_out"
    """A source or channel is nearly all flagged: a template, a loop, or a threshold too low."""
    UNUSUAL_RATE = "unusual_rate"
    """The rate is outside of its usual band for this hour of the day."""
    LAG_GROWING = "lag_growing"
    """The query falls behind."""
    DEAD_LETTERS = "dead_letters"
    """Many records of the latest batches were refused."""
    HOT_BUCKET = "hot_bucket"
    """Very many articles carry one key: boilerplate that should be taken out."""
    NO_BATCH = "no_batch"
    """No batch ended for long although the query should run."""


CRITICAL = frozenset({Rule.WIPED_OUT, Rule.NO_BATCH})


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody should look at; ``subject`` is what it is about, None: all.

    ``figures`` are what the message tells, in its order, for whoever tells it in other words.
    """

    rule: Rule
    subject: str | None
    message: str
    figures: tuple[float | str, ...] = ()

    @property
    def severity(self) -> str:
        """How bad it is: ``critical`` or ``warning``."""
        return "critical" if self.rule in CRITICAL else "warning"

    def fields(self) -> dict[str, Any]:
        """Give it as values for JSON."""
        return {
            "rule": self.rule,
            "subject": self.subject,
            "message": self.message,
            "figures": list(self.figures),
            "severity": self.severity,
        }


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the rules look at.

    ``window`` is what came in the last hours, ``hour`` in the last whole hour, and ``usual``
    in the same hour of each of the days before. ``lags`` are the last sightings of the lag,
    the newest last; ``batches`` the figures of the latest batches. ``silent_ms`` is how long
    ago the last batch was, ``expected`` whether there should be one: there is something to
    read, or a query that holds the index. ``hot`` is how many articles carry a key, by key.
    """

    window: Sums = field(default_factory=Sums)
    hour: Sums = field(default_factory=Sums)
    usual: Sequence[Sums] = ()
    lags: Sequence[int] = ()
    batches: Sequence[Mapping[str, Any]] = ()
    silent_ms: int | None = None
    expected: bool = False
    hot: Mapping[str, int] = field(default_factory=dict)


def alerts(numbers: Numbers) -> list[Alert]:
    """Say everything that the rules say of these numbers, rule by rule."""
    return [
        *_wiped_out(numbers.window),
        *_unusual(numbers.hour, numbers.usual),
        *_lag(numbers.lags),
        *_letters(numbers.batches),
        *_hot(numbers.hot),
        *_silence(numbers),
    ]


def by_rule(found: Iterable[Alert]) -> dict[str, int]:
    """Count alerts by rule; rules without one count 0."""
    counts = Counter(each.rule for each in found)
    return {rule.value: counts[rule] for rule in Rule}


def _wiped_out(window: Sums) -> Iterator[Alert]:
    for kind in GROUPS:
        articles, repeats = window.by(kind)
        worst = [
            name
            for name, count in articles.most_common()
            if name and count >= WIPED_LEAST and repeats[name] >= WIPED_SHARE * count
        ]
        for name in worst[:_MOST_OF_A_RULE]:
            told = f"{repeats[name]} of {articles[name]} articles of this {kind} are repeats"
            figures = (repeats[name], articles[name], kind, name)
            yield Alert(Rule.WIPED_OUT, f"{kind} {name}", told, figures)


def _unusual(hour: Sums, usual: Sequence[Sums]) -> Iterator[Alert]:
    rate = _rate(hour)
    known = [each for each in map(_rate, usual) if each is not None]
    if rate is None or len(known) < BAND_LEAST_DAYS:
        return
    middle = mean(known)
    width = max(BAND_LEAST_WIDTH, BAND_WIDTHS * pstdev(known))
    if abs(rate - middle) > width:
        low, high = max(0.0, middle - width), min(1.0, middle + width)
        told = f"dedup rate {rate:.1%} in the last whole hour; usual is {low:.1%} to {high:.1%}"
        yield Alert(Rule.UNUSUAL_RATE, None, told, (rate, low, high))


def _rate(sums: Sums) -> float | None:
    articles = sums.outcomes.total()
    if articles < BAND_LEAST_ARTICLES:
        return None
    return sums.repeats / articles


def _lag(lags: Sequence[int]) -> Iterator[Alert]:
    seen = lags[-LAG_BATCHES:]
    grows = all(one < other for one, other in pairwise(seen))
    if len(seen) == LAG_BATCHES and grows and seen[-1] >= LAG_LEAST:
        told = (
            f"{seen[-1]} records wait, {seen[-1] - seen[0]} more than {LAG_BATCHES} sightings ago"
        )
        yield Alert(Rule.LAG_GROWING, None, told, (seen[-1], seen[-1] - seen[0], LAG_BATCHES))


def _letters(batches: Sequence[Mapping[str, Any]]) -> Iterator[Alert]:
    refused: Counter[str] = Counter()
    for each in batches:
        refused.update(each["refused"])
    records = refused.total() + sum(each["events"] for each in batches)
    if refused.total() >= LETTERS_LEAST and refused.total() >= LETTERS_SHARE * records:
        reason, count = refused.most_common(1)[0]
        told = f"{refused.total()} of {records} records were refused; {count} of them: {reason}"
        yield Alert(Rule.DEAD_LETTERS, None, told, (refused.total(), records, count, reason))


def _hot(hot: Mapping[str, int]) -> Iterator[Alert]:
    worst = sorted((key for key in hot if hot[key] >= HOT_ARTICLES), key=lambda key: -hot[key])
    for key in worst[:_MOST_OF_A_RULE]:
        told = f"{hot[key]} articles or more carry this key"
        yield Alert(Rule.HOT_BUCKET, key, told, (hot[key],))


def _silence(numbers: Numbers) -> Iterator[Alert]:
    silent = numbers.silent_ms
    if numbers.expected and silent is not None and silent > SILENT_MS:
        minutes = silent // 60_000
        yield Alert(Rule.NO_BATCH, None, f"no batch for {minutes} minutes", (minutes,))
