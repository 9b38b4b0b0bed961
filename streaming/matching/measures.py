"""What verification measures of a pair of texts, each beside the thresholds that it meets.

The one list of them: whoever shows measures goes through it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from streaming.fingerprints.shingles import SHORT
from streaming.matching.evidence import Pair
from streaming.matching.verification import Thresholds

_DIGITS = 6
_MEASURES: tuple[tuple[str, Callable[[Pair], float], tuple[str, ...]], ...] = (
    ("overlap", lambda pair: pair.overlap, ("overlap", "brief_excerpt", "short_overlap")),
    ("figured", lambda pair: pair.figured, ()),
    ("refigured", lambda pair: pair.refigured, ("refigured",)),
    ("figures", lambda pair: pair.figures, ("figures",)),
    ("numbered", lambda pair: pair.numbered, ()),
    ("phrases", lambda pair: pair.phrases, ("phrases",)),
    ("phrase_share", lambda pair: pair.phrase_share, ("phrase_share",)),
    ("strange", lambda pair: pair.strange, ("strange", "subject_overlap")),
    ("half_strange", lambda pair: pair.half_strange, ("strange", "half_subject_overlap")),
    ("likeness", lambda pair: pair.likeness, ()),
    ("shorter", lambda pair: pair.shorter, ("shortest_excerpt",)),
    ("longer", lambda pair: pair.longer, ()),
    ("days_apart", lambda pair: pair.days_apart or 0, ("late_days", "late_overlap")),
    ("size_ratio", lambda pair: pair.size_ratio, ("excerpt",)),
)
"""Name, value, and the names of the thresholds that it is compared with.

Those of likeness depend on the length of the texts.
"""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of a pair; ``thresholds`` are those that it is compared with, by name.

    Lengths are in ideographs, everything else is a count or a share from 0 to 1.
    """

    name: str
    value: float
    thresholds: dict[str, float]


def in_brief(pair: Pair) -> dict[str, float]:
    """Give the measures of a pair that are not 0, as they are kept with a verdict."""
    found = {name: round(float(value(pair)), _DIGITS) for name, value, _ in _MEASURES}
    return {name: value for name, value in found.items() if value}


def measures(pair: Pair, thresholds: Thresholds) -> list[Measure]:
    """Measure a pair in every way."""
    limits = thresholds.listed()
    of_class = (
        thresholds.brief_class(pair.shorter).listed()
        if max(pair.shorter, pair.longer) < SHORT
        else {}
    )
    return [
        Measure(
            name,
            round(value(pair), _DIGITS),
            of_class if name == "likeness" else {each: limits[each] for each in met},
        )
        for name, value, met in _MEASURES
    ]
