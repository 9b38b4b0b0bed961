"""How verdicts fit labelled pairs: what counts as found, and the figures made of that."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from streaming.matching.verification import Relation

ONE_TEXT = frozenset({Relation.DUPLICATE, Relation.CONTAINED_IN, Relation.CONTAINS})
"""The relations of two articles that are one text, or of which one holds the other."""

LENGTHS = (20, 50, 140, 500)
"""Where classes of length end, in ideographs of the shorter text."""

_Group = TypeVar("_Group", bound=Hashable)
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Tally:
    """Right and wrong answers about pairs; a figure is None where there is nothing to share."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    pairs: int = 0

    @property
    def precision(self) -> float | None:
        """Share of the flagged pairs that are duplicates."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float | None:
        """Share of the duplicates that were flagged."""
        return _share(self.right, self.right + self.missed)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of the two."""
        return _share(2 * self.right, 2 * self.right + self.wrong + self.missed)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.right + other.right,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.pairs + other.pairs,
        )

    def fields(self) -> dict[str, Any]:
        """Give counts and figures, rounded to four places."""
        figures = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {
            "pairs": self.pairs,
            "right": self.right,
            "wrong": self.wrong,
            "missed": self.missed,
            **{name: None if v is None else round(v, 4) for name, v in figures.items()},
        }


def tally(answers: Iterable[tuple[bool, bool]]) -> Tally:
    """Count answers: whether a pair is a duplicate, and whether it was flagged as one."""
    rows = list(answers)
    return Tally(
        right=sum(truth and flagged for truth, flagged in rows),
        wrong=sum(flagged and not truth for truth, flagged in rows),
        missed=sum(truth and not flagged for truth, flagged in rows),
        pairs=len(rows),
    )


def tallies(
    rows: Iterable[_Row],
    group: Callable[[_Row], _Group],
    answer: Callable[[_Row], tuple[bool, bool]],
) -> dict[_Group, Tally]:
    """Count answers by group."""
    found: dict[_Group, list[tuple[bool, bool]]] = {}
    for row in rows:
        found.setdefault(group(row), []).append(answer(row))
    return {name: tally(answers) for name, answers in found.items()}


def length_class(ideographs: int) -> str:
    """Name the class of a length, such as ``50-140``, its lower bound included."""
    bounds = (0, *LENGTHS)
    below = max(bound for bound in bounds if bound <= ideographs)
    place = bounds.index(below)
    return f"{below}-{bounds[place + 1]}" if place < len(LENGTHS) else f"{below}-"


LENGTH_CLASSES = tuple(map(length_class, (0, *LENGTHS)))
"""All of them, the shortest first."""


def roots(duplicate_of: Mapping[str, str]) -> dict[str, str]:
    """Give, for every article that repeats one, where following ``duplicate_of`` ends.

    Excerpts are followed as well, unlike in the root of a story. Every article repeats an
    earlier one, so that there are no circles.
    """
    found: dict[str, str] = {}
    for name in duplicate_of:
        path, end = [], name
        while end in duplicate_of and end not in found:
            path.append(end)
            end = duplicate_of[end]
        found.update(dict.fromkeys(path, found.get(end, end)))
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
