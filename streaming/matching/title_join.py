"""The best match of every title of one catalogue among those of another, exactly.

Pairs that an index proposes are scored in blocks: a block of left titles is spread out in a
small dense table, and the words of each proposed title are read from its row. All steps are
array operations over a block; no Python runs per pair.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from streaming.matching.title_index import TitleIndex, Titles, TitleVocabulary, unpack
from streaming.matching.title_thresholds import TitleThresholds
from streaming.matching.titles import Whole, score

_BLOCK_ENTRIES = 400_000
"""Entries of lists that are read in one block: some tens of megabytes."""
_BLOCK_CELLS = 2_000_000
"""Cells of the dense table of a block, at 8 bytes."""


@dataclass(frozen=True, slots=True)
class Best:
    """The best match of each left title that has one, as parallel arrays.

    ``left`` and ``right`` count the titles as they were given; scores are in millionths,
    relations are values of `TitleRelation`. ``candidates`` entries of lists were read for them,
    ``scored`` pairs were compared.
    """

    left: Whole
    right: Whole
    scores: Whole
    relations: Whole
    candidates: int
    scored: int


def join(
    left: Titles,
    right: Titles,
    right_ids: Whole,
    vocabulary: TitleVocabulary,
    thresholds: TitleThresholds,
) -> Best:
    """Find the best match of each left title: the best relation, score, and smallest id.

    ``right_ids`` gives the rank of the id of every right title as they were given. The
    answer is that of scoring all pairs.
    """
    joiner = _Joiner(left, right, right_ids[right.source], vocabulary, thresholds)
    found = [_no_pairs(), *joiner.blocks()]
    lefts, rights, scores, relations = (np.concatenate(part) for part in zip(*found, strict=True))
    return Best(
        left.source[lefts],
        right.source[rights],
        scores,
        relations,
        joiner.candidates,
        joiner.scored,
    )


def candidates(left: Titles, right: Titles) -> Whole:
    """Count the entries of lists that `join` would read for each left title, as given."""
    owners, places = left.prefixes()
    begin, end = TitleIndex(right).ranges(left, owners, places)
    counts = np.zeros(len(left.norms), np.int64)
    np.add.at(counts, left.source[owners], end - begin)
    return counts


_Pairs = tuple[Whole, Whole, Whole, Whole]


def _no_pairs() -> _Pairs:
    nothing = np.empty(0, np.int64)
    return nothing, nothing, nothing, nothing


class _Joiner:
    def __init__(
        self,
        left: Titles,
        right: Titles,
        ids: Whole,
        vocabulary: TitleVocabulary,
        thresholds: TitleThresholds,
    ) -> None:
        self._left, self._right, self._ids = left, right, ids
        self._vocabulary, self._thresholds = vocabulary, thresholds
        self._index = TitleIndex(right)
        self._columns = np.ascontiguousarray(right.rows(vocabulary).T)
        self._needed = left.needed
        self._right_lengths = right.lengths
        self._left_lengths = left.lengths
        owners, places = left.prefixes()
        begin, end = self._index.ranges(left, owners, places)
        promising = end > begin
        self._owners, self._begin = owners[promising], begin[promising]
        self._counts = (end - begin)[promising]
        self._cells = np.zeros(_BLOCK_CELLS, np.int64)
        self.candidates = int(self._counts.sum())
        self.scored = 0

    def blocks(self) -> Iterator[_Pairs]:
        read = np.concatenate(([0], np.cumsum(self._counts)))
        lefts, firsts = np.unique(self._owners, return_index=True)
        firsts = np.append(firsts, len(self._owners))
        at = 0
        while at < len(lefts):
            end = int(np.searchsorted(read[firsts], read[firsts[at]] + _BLOCK_ENTRIES, "right")) - 1
            end = max(at + 1, min(end, len(lefts)))
            while end > at + 1 and self._span(lefts[at], lefts[end - 1]) * (
                lefts[end - 1] + 1 - lefts[at]
            ) > len(self._cells):
                end = (at + end) // 2
            yield self._block(slice(firsts[at], firsts[end]))
            at = end

    def _span(self, first: int, last: int) -> int:
        starts, spaces = self._vocabulary.starts, self._left.spaces
        return int(starts[spaces[last] + 1] - starts[spaces[first]])

    def _block(self, words: slice) -> _Pairs:
        """Score what the index proposes for some left titles, and keep the best of each."""
        owners, counts = self._owners[words], self._counts[words]
        ends = np.cumsum(counts)
        entries = np.repeat(self._begin[words] - ends + counts, counts) + np.arange(ends[-1])
        able = self._index.rest[entries] >= np.repeat(self._needed[owners], counts)
        size = len(self._right.norms)
        keys = np.repeat(owners * size, counts)[able] + self._index.titles[entries[able]]
        keys.sort()
        keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
        lefts, rights = np.divmod(keys, size)
        self.scored += len(keys)
        shared, figures = unpack(self._shared(lefts, rights))
        enough = np.flatnonzero(shared >= self._needed[lefts])
        return self._best(lefts[enough], rights[enough], shared[enough], figures[enough])

    def _shared(self, lefts: Whole, rights: Whole) -> Whole:
        """Sum up what pairs have in common, in the order of their left titles."""
        if not len(lefts):
            return lefts
        left, first, last = self._left, int(lefts[0]), int(lefts[-1])
        base, width = self._vocabulary.starts[left.spaces[first]], self._span(first, last)
        words = left.words[left.offsets[first] : left.offsets[last + 1]]
        rows = np.repeat(np.arange(last + 1 - first), self._left_lengths[first : last + 1])
        if (last + 1 - first) * width > len(self._cells):
            self._cells = np.zeros((last + 1 - first) * width, np.int64)
        spread = rows * width + (words - base)
        self._cells[spread] = self._vocabulary.packed[words]
        offsets = (lefts - first) * width - base
        shared = np.zeros(len(lefts), np.int64)
        for column in self._columns:
            shared += self._cells.take(column.take(rights) + offsets)
        self._cells[spread] = 0
        return shared

    def _best(self, lefts: Whole, rights: Whole, shared: Whole, figures: Whole) -> _Pairs:
        left, right = self._left, self._right
        conflicts = (figures < left.figures[lefts]) & (figures < right.figures[rights])
        scores = score(shared, left.norms[lefts], right.norms[rights], conflicts)
        shorter = np.minimum(self._left_lengths[lefts], self._right_lengths[rights])
        relations = self._thresholds.relations(scores, shorter).astype(np.int64)
        kept = np.flatnonzero(relations)
        order = np.lexsort((self._ids[rights[kept]], -scores[kept], -relations[kept], lefts[kept]))
        kept = kept[order]
        ordered = lefts[kept]
        kept = kept[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
        return lefts[kept], rights[kept], scores[kept], relations[kept]
