"""From the evidence of two texts to the relation between them, or to the check that failed.

The checks were found on 298 judged pairs of Chinese news of 2006 and 2023, by measures that
were fixed before their thresholds; those of headlines on planted edits of headlines and on
pairs of 36 000 real ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from streaming.fingerprints.shingles import HEADLINE, SHORT
from streaming.matching.evidence import Pair

_FRAMED = 40
"""From this length on, in ideographs, a text is the same with a byline and a footer to it."""


class Relation(StrEnum):
    """How an article relates to an earlier one; the order is the order of matches."""

    DUPLICATE = "duplicate"
    CONTAINED_IN = "contained_in"
    CONTAINS = "contains"
    TEMPLATE = "template"


class Check(StrEnum):
    """What a pair has to pass, in this order, to be more than similar."""

    OVERLAP = "overlap"
    """Enough of the shorter text is in the longer one."""
    FIGURES = "figures"
    """And not with other figures or, in a headline, another name or stage: that is a template."""
    SUBJECT = "subject"
    """And not about somebody or something else: that is one, too."""


@dataclass(frozen=True, slots=True)
class BriefClass:
    """How alike two brief texts have to be if the shorter has fewer than ``below`` ideographs.

    Under ``least`` they have nothing to do with each other, from ``most`` on they are
    duplicates whatever else; between the two ``best`` is where the line is best drawn, and
    it is not crossed by a pair that differs in a figure or in whom it is about.
    """

    below: int
    least: float
    best: float
    most: float

    def listed(self) -> dict[str, float]:
        """Give its thresholds by their names."""
        return {
            f"brief.{self.below}.{name}": getattr(self, name) for name in ("least", "best", "most")
        }


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the checks ask for: shares from 0 to 1, or counts, days and ideographs.

    ``overlap`` is asked for of the shorter text, ``short_overlap`` where that is shorter than
    140 ideographs and no excerpt, or shorter than 50, ``brief_excerpt`` of an excerpt between
    the two: little is said in it that every report of an event would not say. What is
    published ``late_days`` after a text has to have ``late_overlap`` with it, unless it is an
    excerpt: news is reposted soon or as it was, and notices of one form follow each other.

    A pair is a template if more than ``refigured`` of the bigrams, or at least ``phrases``
    phrases and more than ``phrase_share`` of those with figures, differ in figures only; or
    if more than ``figures`` of the bigrams with figures do, and there is hardly another
    difference. With an overlap below ``subject_overlap`` it is one, too, if each text lacks
    at least the share ``strange`` of what the other is about; below ``half_subject_overlap``
    one of them is enough, unless it is an excerpt. A text with fewer than ``excerpt`` of the
    other's bigrams is an excerpt; of a text more than twice as long one with fewer than
    ``shortest_excerpt`` ideographs is none: slogans and names of columns are in many. Where
    both are brief and neither is an excerpt the classes of ``brief`` count instead.
    """

    overlap: float = 0.68
    brief_excerpt: float = 0.8
    short_overlap: float = 0.93
    late_days: float = 3.0
    late_overlap: float = 0.85
    refigured: float = 0.02
    figures: float = 0.3
    phrases: int = 2
    phrase_share: float = 0.12
    strange: float = 0.5
    subject_overlap: float = 0.85
    half_subject_overlap: float = 0.72
    excerpt: float = 0.65
    shortest_excerpt: int = 7
    brief: tuple[BriefClass, ...] = (
        BriefClass(20, 0.6, 0.74, 0.985),
        BriefClass(50, 0.7, 0.845, 0.985),
        BriefClass(SHORT, 0.75, 0.91, 0.985),
    )

    def brief_class(self, length: int) -> BriefClass:
        """Give the class of brief texts of which the shorter has so many ideographs."""
        return next(each for each in self.brief if length < each.below)

    def listed(self) -> dict[str, float]:
        """Give every threshold by its name, those of brief texts with their class."""
        found = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name != "brief"
        }
        for each in self.brief:
            found |= each.listed()
        return found

    @property
    def least_overlap(self) -> float:
        """What is asked for at least, of whichever texts, if one of them is not brief."""
        return min(self.overlap, self.brief_excerpt, self.short_overlap)

    def having(self, values: Mapping[str, float]) -> "Thresholds":
        """Give these thresholds with other values, by the names of `listed`."""
        brief = [
            BriefClass(each.below, *({**each.listed(), **values}[name] for name in each.listed()))
            for each in self.brief
        ]
        own: dict[str, Any] = {n: v for n, v in values.items() if not n.startswith("brief.")}
        return replace(self, brief=tuple(brief), **own)


DEFAULT_THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class Answer:
    """What verification says of a pair, seen from the later article.

    ``relation`` is None if the ``failed`` check refused the pair. ``score`` is the overlap
    or, of two brief texts, their likeness, from 0 to 1.
    """

    relation: Relation | None
    failed: Check | None
    score: float


def verify(pair: Pair, thresholds: Thresholds) -> Answer:
    """Say how the first text of a pair relates to the second, which is the earlier one.

    A text without words is like no other.
    """
    excerpt = pair.size_ratio < thresholds.excerpt
    if max(pair.shorter, pair.longer) < SHORT and not excerpt:
        return _verify_brief(pair, thresholds)
    score = round(pair.overlap, 6)
    wanted = _wanted(pair, thresholds, excerpt=excerpt)
    if score + pair.figured < wanted or score + pair.refigured < wanted:
        return Answer(None, Check.OVERLAP, score)
    if _differs_in_figures(pair, thresholds):
        return Answer(Relation.TEMPLATE, Check.FIGURES, score)
    if score < wanted or _is_in_many(pair, thresholds):
        return Answer(None, Check.OVERLAP, score)
    if _differs_in_subject(pair, thresholds, excerpt=excerpt):
        return Answer(Relation.TEMPLATE, Check.SUBJECT, score)
    part = Relation.CONTAINED_IN if pair.first_is_shorter else Relation.CONTAINS
    return Answer(part if excerpt else Relation.DUPLICATE, None, score)


def _wanted(pair: Pair, thresholds: Thresholds, *, excerpt: bool) -> float:
    """Give the overlap that is asked for: the less a text says, the more of it."""
    if pair.shorter < (HEADLINE if excerpt else SHORT):
        return thresholds.short_overlap
    if excerpt:
        return thresholds.brief_excerpt if pair.shorter < SHORT else thresholds.overlap
    late = pair.days_apart is not None and pair.days_apart >= thresholds.late_days
    return max(thresholds.overlap, thresholds.late_overlap) if late else thresholds.overlap


def _is_in_many(pair: Pair, thresholds: Thresholds) -> bool:
    """Whether the shorter text says too little to be an excerpt of such a longer one."""
    return pair.shorter < min(thresholds.shortest_excerpt, pair.longer / 2)


def _verify_brief(pair: Pair, thresholds: Thresholds) -> Answer:
    score = round(pair.likeness, 6)
    wanted = thresholds.brief_class(pair.shorter)
    if score >= wanted.most:
        return Answer(Relation.DUPLICATE, None, score)
    if score >= wanted.least and (pair.refigured or pair.phrases or pair.numbered):
        return Answer(Relation.TEMPLATE, Check.FIGURES, score)
    if score >= wanted.least and pair.strange >= thresholds.strange:
        return Answer(Relation.TEMPLATE, Check.SUBJECT, score)
    if score < wanted.best and not _framed(pair, thresholds):
        return Answer(None, Check.OVERLAP, score)
    return Answer(Relation.DUPLICATE, None, score)


def _framed(pair: Pair, thresholds: Thresholds) -> bool:
    """Whether one text is the other with something before or after it, such as a byline."""
    return pair.shorter >= _FRAMED and pair.overlap >= thresholds.short_overlap


def _differs_in_subject(pair: Pair, thresholds: Thresholds, *, excerpt: bool) -> bool:
    """Whether the two texts say the same of two people or things."""
    if pair.overlap >= thresholds.subject_overlap:
        return False
    if pair.strange >= thresholds.strange:
        return True
    close = excerpt or pair.overlap >= thresholds.half_subject_overlap
    return not close and pair.half_strange >= thresholds.strange


def _differs_in_figures(pair: Pair, thresholds: Thresholds) -> bool:
    """Whether the two texts differ in figures where they are alike."""
    if pair.refigured > thresholds.refigured:
        return True
    if pair.phrases >= thresholds.phrases and pair.phrase_share > thresholds.phrase_share:
        return True
    # Hardly anything else differs, and most figures do.
    only = 2 * pair.refigured >= 1 - pair.overlap
    return only and pair.figures > thresholds.figures
