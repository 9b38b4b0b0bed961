"""Which descriptions have a keyword, and with what weight: inverted segments that never change.

A segment covers a range of descriptions. Keywords are in ascending order of their hashes,
and the lists of all keywords lie one behind the other: list n from ``starts[n]`` to
``starts[n + 1]``, in the order of descriptions. A posting is one number of 32 bits: the
description, counted from the first of the segment, and in the 12 lowest bits the weight.
Segments of neighbouring ranges are merged into larger ones, so that there are few of them,
and each posting is copied a few times only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streaming.similar.description import Hashes64, Int16s

WEIGHT_BITS = 12
LARGEST_WEIGHT = (1 << WEIGHT_BITS) - 1
LARGEST_SEGMENT = 1 << (32 - WEIGHT_BITS)

_HEAD = np.dtype([("keywords", "<i8"), ("postings", "<i8")])

Numbers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """A segment: the lists of the descriptions numbered from ``first`` to before ``end``."""

    first: int
    end: int
    keywords: Hashes64
    starts: Numbers
    entries: NDArray[np.uint32]

    @classmethod
    def build(
        cls, first: int, counts: NDArray[np.integer], keywords: Hashes64, weights: Int16s
    ) -> Self:
        """Invert the keywords of consecutive descriptions, ``counts`` of them in each."""
        entries = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
        entries <<= np.uint32(WEIGHT_BITS)
        packed = entries | weights.astype(np.uint32)
        order = np.argsort(keywords, kind="stable")
        ordered = keywords[order]
        heads = np.flatnonzero(_new(ordered))
        starts = np.append(heads, len(ordered))
        return cls(first, first + len(counts), ordered[heads], starts, packed[order])

    @classmethod
    def merge(cls, parts: Sequence["Postings"], kept: Bools) -> Self:
        """Make one segment of neighbouring ones.

        Only ``kept`` descriptions stay in it: one bool for each from the first part's on.
        """
        keywords = np.sort(np.concatenate([part.keywords for part in parts]))
        keywords = keywords[_new(keywords)]
        places = [np.searchsorted(keywords, part.keywords) for part in parts]
        sizes = np.zeros(len(keywords), np.int64)
        for part, place in zip(parts, places, strict=True):
            sizes[place] += np.diff(part.starts)
        starts = np.concatenate(([0], np.cumsum(sizes)))
        first = parts[0].first
        entries = np.empty(starts[-1], np.uint32)
        free = starts[:-1].copy()
        for part, place in zip(parts, places, strict=True):
            lengths = np.diff(part.starts)
            to = np.repeat(free[place] - part.starts[:-1], lengths)
            to += np.arange(len(to))
            entries[to] = part.entries + np.uint32((part.first - first) << WEIGHT_BITS)
            free[place] += lengths
        stay = kept[entries >> WEIGHT_BITS]
        if not stay.all():
            starts = np.concatenate(([0], np.cumsum(stay)))[starts]
            entries = entries[stay]
            used = np.diff(starts) > 0
            keywords, starts = keywords[used], np.append(starts[:-1][used], starts[-1])
        return cls(first, parts[-1].end, keywords, starts, entries)

    def write(self, path: Path) -> None:
        """Write the segment to a file that is not there yet."""
        head = np.array((len(self.keywords), len(self.entries)), _HEAD)
        with path.open("wb") as file:
            for part in (head, self.keywords, self.starts, self.entries):
                file.write(np.ascontiguousarray(part).data)

    @classmethod
    def read(cls, path: Path, first: int, end: int) -> Self:
        """Map the file that `write` left."""
        flat = np.memmap(path, np.uint8, mode="r").view(np.ndarray)
        keywords, postings = flat[: _HEAD.itemsize].view(_HEAD)[0].item()
        parts: list[NDArray[Any]] = []
        start = _HEAD.itemsize
        for dtype, length in (
            (np.uint64, keywords),
            (np.int64, keywords + 1),
            (np.uint32, postings),
        ):
            size = length * np.dtype(dtype).itemsize
            parts.append(flat[start : start + size].view(dtype))
            start += size
        return cls(first, end, *parts)

    def lists(self, keywords: Hashes64) -> tuple[Numbers, Numbers]:
        """Give the bounds of each keyword's list; an empty one where there is none."""
        if not len(self.keywords):
            return np.zeros(len(keywords), np.int64), np.zeros(len(keywords), np.int64)
        places = np.searchsorted(self.keywords, keywords)
        places[places == len(self.keywords)] = 0
        found = self.keywords[places] == keywords
        return np.where(found, self.starts[places], 0), np.where(found, self.starts[places + 1], 0)


def _new(ordered: Hashes64) -> Bools:
    """Tell which are not like the one before."""
    new = np.ones(len(ordered), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    return new


def due(parts: Sequence[tuple[int, int]], largest: int) -> int:
    """Tell how many of the last segments to merge; 0: none.

    ``parts`` says of each segment how many descriptions it spans, and how many of them would
    stay. The last is merged with its neighbour as soon as that is not much larger.
    """
    number, spanned, stay = 0, 0, 0
    for of_one, of_these in reversed(parts):
        too_much = stay + of_these > largest or spanned + of_one > LARGEST_SEGMENT
        if number and (of_these > 2 * stay or too_much):
            break
        number, spanned, stay = number + 1, spanned + of_one, stay + of_these
    return number if number > 1 else 0
