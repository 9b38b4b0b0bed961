"""Labelled pairs as verification sees them: measured once, judged under many thresholds.

The one place here that knows which thresholds are learned, and which measure each of them is
compared with. The others keep their values in every calibration: some say what a match is
called and not what is one text, some guard against what pairs hardly ever hold, such as
figures that were all changed, and would be whatever a few pairs happen to say.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from streaming.matching.content import pair_of
from streaming.matching.evidence import Pair
from streaming.matching.verification import DEFAULT_THRESHOLDS, Thresholds, verify
from streaming.offline.corpus import Article
from streaming.offline.pairs import LabelledPair
from streaming.offline.scoring import ONE_TEXT, Tally, tally

_MEASURES: dict[str, Callable[[Pair], float]] = {
    "overlap": lambda pair: pair.overlap,
    "short_overlap": lambda pair: pair.overlap,
    "refigured": lambda pair: pair.refigured,
    "phrase_share": lambda pair: pair.phrase_share,
    **{
        name: lambda pair: pair.likeness
        for name in DEFAULT_THRESHOLDS.listed()
        if name.endswith(".best")
    },
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A labelled pair of which both texts are there; the later one is the pair's first."""

    label: LabelledPair
    pair: Pair

    @property
    def length(self) -> int:
        """Length of the shorter text in ideographs."""
        return self.pair.shorter

    def flagged(self, thresholds: Thresholds) -> bool:
        """Whether verification takes the two for one text under these thresholds."""
        return verify(self.pair, thresholds).relation in ONE_TEXT


def measure(articles: Iterable[Article], pairs: Sequence[LabelledPair]) -> list[Measured]:
    """Measure the pairs whose articles are both there and live, in their order."""
    texts = {
        article.name: (article.first, article.content)
        for article in articles
        if article.content is not None
    }
    found = []
    for pair in pairs:
        if pair.one in texts and pair.other in texts:
            (_, earlier), (_, later) = sorted(
                (texts[pair.one], texts[pair.other]), key=lambda each: each[0]
            )
            found.append(Measured(pair, pair_of(later, earlier)))
    return found


def score(pairs: Iterable[Measured], thresholds: Thresholds) -> Tally:
    """Count what verification says of the pairs."""
    return tally((each.label.duplicate, each.flagged(thresholds)) for each in pairs)


def learnable() -> list[str]:
    """Name the thresholds that are learned, in the order in which they are."""
    return list(_MEASURES)


def reached(pairs: Iterable[Measured], name: str) -> list[float]:
    """Give the distinct values of the measure that a threshold is compared with, in order."""
    measure_of = _MEASURES[name]
    return sorted({round(float(measure_of(each.pair)), 6) for each in pairs})
