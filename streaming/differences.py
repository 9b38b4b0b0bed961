"""What was done to a text: the passages that stayed, those that went, those that came.

Texts are aligned by clauses first, then by words inside the clauses that changed, a Chinese
character being a word. Short stretches are left to `difflib`; a long one is parted at what
both sides have exactly once (Bram Cohen's patience diff), so that the time grows about with
the length of the texts and not with its square.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby

_ENDS = r"\n。,!?;:，！？；：、…"
_CLAUSE = re.compile(rf"[^{_ENDS}]+[{_ENDS}]*|[{_ENDS}]+")
_IDEOGRAPH = r"\u3400-\u9fff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_IDEOGRAPH}]|[^\W_{_IDEOGRAPH}]+|.", re.DOTALL)
_SQUARE = 40_000
"""Largest product of two lengths that is left to `difflib`: some milliseconds at worst."""
_WORDS_IN_A_ROW = 3
"""Words that part a long stretch: a single one that is there only once says little."""
_DEEPEST = 16
_REWRITTEN = 0.4
"""Clauses that share less than this of their words were replaced: what is alike is chance."""

Stretch = tuple[bool, Sequence[str], Sequence[str]]
"""Pieces of both texts, and whether they are the same."""


class Change(StrEnum):
    """What became of a passage."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of one text or of both, never empty."""

    change: Change
    text: str


def difference(old: str, new: str) -> list[Passage]:
    """Give the passages of two texts in order, what was removed before what came instead.

    Those that are the same or removed make up ``old``, those that are the same or added
    make up ``new``; no two that follow each other have the same change. Not promised to be
    the shortest list of this kind.
    """
    found: list[Passage] = []
    for same, mine, theirs in _aligned(_CLAUSE.findall(old), _CLAUSE.findall(new), 1):
        one, other = "".join(mine), "".join(theirs)
        found += [Passage(Change.SAME, one)] if same else _rewritten(one, other)
    return list(_joined(found))


def _rewritten(old: str, new: str) -> Iterator[Passage]:
    """Compare clauses that changed word by word."""
    mine, theirs = _WORD.findall(old), _WORD.findall(new)
    stretches = list(_aligned(mine, theirs, _WORDS_IN_A_ROW))
    shared = sum(len(one) for same, one, _ in stretches if same)
    if shared < _REWRITTEN * min(len(mine), len(theirs)):
        stretches = [(False, mine, theirs)]
    for same, one, other in stretches:
        if same:
            yield Passage(Change.SAME, "".join(one))
        else:
            yield Passage(Change.REMOVED, "".join(one))
            yield Passage(Change.ADDED, "".join(other))


def _joined(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Put together what was removed, and what was added, between two passages that stayed."""
    for same, group in groupby(passages, key=lambda each: each.change is Change.SAME):
        between = list(group)
        for change in (Change.SAME,) if same else (Change.REMOVED, Change.ADDED):
            text = "".join(each.text for each in between if each.change is change)
            if text:
                yield Passage(change, text)


def _aligned(
    mine: Sequence[str], theirs: Sequence[str], in_a_row: int, depth: int = 0
) -> Iterator[Stretch]:
    """Cut two sequences into stretches that are the same and stretches that are not."""
    begin, end = _ends(mine, theirs)
    yield True, mine[:begin], theirs[:begin]
    one, other = mine[begin : len(mine) - end], theirs[begin : len(theirs) - end]
    if len(one) * len(other) <= _SQUARE:
        matcher = SequenceMatcher(None, one, other, autojunk=False)
        for kind, i, i_end, j, j_end in matcher.get_opcodes():
            yield kind == "equal", one[i:i_end], other[j:j_end]
    else:
        anchors = _anchors(one, other, in_a_row) if depth < _DEEPEST else []
        if anchors:
            yield from _between(one, other, anchors, in_a_row, depth)
        else:
            yield False, one, other
    yield True, mine[len(mine) - end :], theirs[len(theirs) - end :]


def _between(
    mine: Sequence[str],
    theirs: Sequence[str],
    anchors: Iterable[tuple[int, int]],
    in_a_row: int,
    depth: int,
) -> Iterator[Stretch]:
    """Align what lies between anchors; each is grown by the stretches around it."""
    i = j = 0
    for i_next, j_next in (*anchors, (len(mine), len(theirs))):
        yield from _aligned(mine[i:i_next], theirs[j:j_next], in_a_row, depth + 1)
        i, j = i_next, j_next


def _ends(mine: Sequence[str], theirs: Sequence[str]) -> tuple[int, int]:
    """Count what is the same at the beginning, and then at the end."""
    most = min(len(mine), len(theirs))
    begin = next((n for n in range(most) if mine[n] != theirs[n]), most)
    most -= begin
    end = next((n for n in range(most) if mine[-1 - n] != theirs[-1 - n]), most)
    return begin, end


def _anchors(mine: Sequence[str], theirs: Sequence[str], in_a_row: int) -> list[tuple[int, int]]:
    """Give places of what both have exactly once, the most that are in order on both sides."""
    here, there = _once(mine, in_a_row), _once(theirs, in_a_row)
    return _increasing([(i, there[what]) for what, i in here.items() if what in there])


def _once(words: Sequence[str], in_a_row: int) -> dict[tuple[str, ...], int]:
    """Give the place of everything that occurs once, in the order of the places."""
    runs = list(zip(*(words[n:] for n in range(in_a_row)), strict=False))
    counts = Counter(runs)
    return {run: place for place, run in enumerate(runs) if counts[run] == 1}


def _increasing(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give a longest run of pairs, which are in the order of the first, that both increase in."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for number, (_, j) in enumerate(places):
        length = bisect_left(tails, j)
        tails[length : length + 1] = [j]
        last[length : length + 1] = [number]
        before.append(last[length - 1] if length else None)
    chosen: list[tuple[int, int]] = []
    at = last[-1] if last else None
    while at is not None:
        chosen.append(places[at])
        at = before[at]
    return chosen[::-1]
