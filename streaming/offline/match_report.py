"""What a run of matching did, for people and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_SHOWN = 10
"""Skewed categories that people are shown; JSON has them all."""


@dataclass(frozen=True, slots=True)
class TaskTally:
    """What one task did: titles, candidates, pairs scored, and its seconds.

    ``seconds`` are those on the clock, from the first row read to the last one given;
    ``busy`` those that the processor worked on it. On a machine that does other things as
    well, only the latter say how even the work was.
    """

    left: int
    right: int
    words: int
    candidates: int
    scored: int
    seconds: float
    busy: float


@dataclass(frozen=True, slots=True)
class SkewedCategory:
    """A category that was cut: its titles, and into how many pieces each side was."""

    category: str
    left: int
    right: int
    left_pieces: int
    right_pieces: int
    tasks: int


@dataclass(frozen=True, slots=True)
class MatchReport:
    """Figures of one run.

    ``pairs`` are those of all titles within their categories, ``refused`` counts lines by
    reason, ``matches`` counts left titles by relation, ``seconds`` has every stage, and
    ``skewed`` the categories that were cut, the one with the most pairs first. The work
    was shared among ``planned_tasks``; ``tasks`` are those that got any.
    """

    left: int
    right: int
    refused: Mapping[str, int]
    categories: int
    common_categories: int
    pairs: int
    skewed: tuple[SkewedCategory, ...]
    planned_tasks: int
    tasks: tuple[TaskTally, ...]
    matches: Mapping[str, int]
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def candidates(self) -> int:
        """Entries of lists that were read."""
        return sum(task.candidates for task in self.tasks)

    @property
    def scored(self) -> int:
        """Pairs that were scored."""
        return sum(task.scored for task in self.tasks)

    def fields(self) -> dict[str, Any]:
        """Give the report as JSON has it."""
        return {
            **asdict(self),
            "candidates": self.candidates,
            "scored": self.scored,
            "slowest_to_mean": _slowest([task.seconds for task in self.tasks]),
            "busiest_to_mean": _slowest([task.busy for task in self.tasks]),
        }

    def lines(self) -> list[str]:
        """Say it in some lines."""
        refused = sum(self.refused.values())
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.refused.items())
        lines = [
            f"titles      {self.left:,} left, {self.right:,} right"
            + (f"; {refused:,} lines refused ({reasons})" if refused else ""),
            f"categories  {self.categories:,}, {self.common_categories:,} of them on both sides",
            *(
                f"skewed      {_shown(each.category)}: {each.left:,} x {each.right:,} titles, cut"
                f" into {each.left_pieces} x {each.right_pieces} pieces for {each.tasks} tasks"
                for each in self.skewed[:_SHOWN]
            ),
        ]
        if len(self.skewed) > _SHOWN:
            lines.append(f"skewed      {len(self.skewed) - _SHOWN:,} smaller ones, cut as well")
        lines.append(
            f"pairs       {self.scored:,} scored of {self.pairs:,}"
            f" ({_share(self.scored, self.pairs)});"
            f" {self.candidates / max(1, self.left):,.1f} candidates per title"
        )
        if self.tasks:
            seconds = [task.seconds for task in self.tasks]
            idle = self.planned_tasks - len(seconds)
            lines.append(
                f"tasks       {len(seconds)}"
                + (f" and {idle} without work" if idle else "")
                + f", slowest {max(seconds):.2f} s, mean"
                f" {sum(seconds) / len(seconds):.2f} s: {_slowest(seconds):.2f} times the mean"
            )
        stages = ", ".join(f"{stage} {spent:.1f}" for stage, spent in self.seconds.items())
        lines.append(f"seconds     {sum(self.seconds.values()):.1f} ({stages})")
        found = ", ".join(f"{relation} {count:,}" for relation, count in self.matches.items())
        lines.append(f"matches     {found}")
        return lines


def _slowest(seconds: list[float]) -> float | None:
    total = sum(seconds)
    return max(seconds) * len(seconds) / total if total else None


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3%}" if whole else "-"


def _shown(category: str) -> str:
    return category or "(none)"
