"""Labelled pairs as verification sees them: measured once, judged under many thresholds.

The one place here that knows which measure a threshold is compared with. A threshold that
is not known here, and has no measure of its name, keeps its value in every calibration: so
does ``excerpt``, which says what an excerpt is called and not what is one text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from streaming.matching.evidence import Evidence, Pair
from streaming.matching.verification import Thresholds, judge_pair
from streaming.offline.corpus import Article
from streaming.offline.pairs import LabelledPair
from streaming.offline.scoring import ONE_TEXT, Tally, tally

_MEASURES: dict[str, Callable[[Pair], float]] = {"short_overlap": lambda pair: pair.overlap}
"""Where the threshold is not called as what is compared with it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A labelled pair of which both texts are there; ``later`` is that of the later one."""

    label: LabelledPair
    pair: Pair
    later: Evidence

    @property
    def length(self) -> int:
        """Length of the shorter text in ideographs."""
        return self.pair.shorter

    def flagged(self, thresholds: Thresholds) -> bool:
        """Whether verification takes the two for one text under these thresholds."""
        return judge_pair(self.pair, self.later, thresholds).relation in ONE_TEXT


def measure(articles: Iterable[Article], pairs: Sequence[LabelledPair]) -> list[Measured]:
    """Measure the pairs whose articles are both there and live, in their order."""
    texts = {
        article.name: (article.first, article.content.text())
        for article in articles
        if article.content is not None
    }
    found = []
    for pair in pairs:
        if pair.one in texts and pair.other in texts:
            (_, earlier), (_, later) = sorted(
                (texts[pair.one], texts[pair.other]), key=lambda each: each[0]
            )
            found.append(Measured(pair, Pair(later, earlier), later))
    return found


def score(pairs: Iterable[Measured], thresholds: Thresholds) -> Tally:
    """Count what verification says of the pairs."""
    return tally((each.label.duplicate, each.flagged(thresholds)) for each in pairs)


def learnable() -> list[str]:
    """Name the thresholds that have a measure, in their order."""
    return [each.name for each in fields(Thresholds) if _measure_of(each.name) is not None]


def reached(pairs: Iterable[Measured], name: str) -> list[float]:
    """Give the distinct values of the measure that a threshold is compared with, in order."""
    measure_of = _measure_of(name)
    if measure_of is None:
        raise ValueError(f"nothing is known to be compared with the threshold {name}")
    return sorted({round(float(measure_of(each.pair)), 6) for each in pairs})


def _measure_of(name: str) -> Callable[[Pair], float] | None:
    if name in _MEASURES:
        return _MEASURES[name]
    return (lambda pair: getattr(pair, name)) if hasattr(Pair, name) else None
