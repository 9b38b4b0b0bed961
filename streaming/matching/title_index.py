"""Titles as numbers, and an inverted index over those of one catalogue.

Categories are *spaces*: two titles of different spaces have no word in common, whatever
they say, so one index serves any number of categories. A word is a number that is known in
one task only: numbers grow with the space, and in a space from rare words to common ones.

The index is that of All-Pairs (Bayardo, Ma and Srikant 2007) and PPJoin (Xiao et al. 2008)
for this score. To reach a score t, what two titles share must weigh at least t times the
norm of each. Seen from its first common word on, the rest of either title must weigh as
much. So only words with enough behind them are indexed and looked up (prefix and suffix
bound); and since what is shared weighs no more than either title, only titles of a similar
norm are read from a list (length bound): lists are in the order of norms. Nothing that could
reach the threshold is skipped: bounds are computed in whole numbers, as scores are.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from streaming.matching.title_thresholds import TitleThresholds
from streaming.matching.titles import ONE, Whole, weigh

_NORM_BITS = 32
_FIGURE_BIT = 40
"""A word's squared weight and, from this bit on, whether it is a figure: summed in one go."""


@dataclass(frozen=True, slots=True)
class TitleVocabulary:
    """The words of some spaces. ``starts`` holds the first number of each space, and the end.

    The first word of a space is no word: it weighs nothing and fills rows of a table.
    """

    starts: Whole
    packed: Whole
    number: Whole
    """The number of every word, in the order in which the words were given."""

    @classmethod
    def of(cls, spaces: Whole, having: Whole, figures: NDArray[np.bool_], titles: Whole) -> Self:
        """Number words by their spaces and how many titles have them.

        ``titles`` is the number of titles of every space, which ``spaces`` count from 0.
        """
        order = np.lexsort((having, spaces))
        number = np.empty(len(spaces), np.int64)
        number[order] = np.arange(len(spaces)) + spaces[order] + 1
        words = np.bincount(spaces, minlength=len(titles))
        starts = np.concatenate(([0], np.cumsum(words + 1)))
        packed = np.zeros(starts[-1], np.int64)
        weights = weigh(titles[spaces], having, figures)
        packed[number] = weights + (figures.astype(np.int64) << _FIGURE_BIT)
        return cls(starts, packed, number)


def unpack(packed: Whole) -> tuple[Whole, Whole]:
    """Split sums of packed words into their weight and how many are figures."""
    return packed & ((1 << _FIGURE_BIT) - 1), packed >> _FIGURE_BIT


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles of a catalogue, in the order of their spaces and, in a space, of their norms.

    ``source`` says where each was among those given; the words of title i are
    ``words[offsets[i]:offsets[i + 1]]``, ascending, and ``rest`` is what a title weighs from
    a word on. ``floors`` is the lowest score that it may match with.
    """

    source: Whole
    spaces: Whole
    offsets: Whole
    words: Whole
    rest: Whole
    norms: Whole
    figures: Whole
    floors: Whole

    @classmethod
    def of(
        cls,
        spaces: Whole,
        lengths: Whole,
        words: Whole,
        vocabulary: TitleVocabulary,
        thresholds: TitleThresholds,
    ) -> Self:
        """Take titles of at least one word each, as lengths and the words of all of them."""
        count, size = len(lengths), len(vocabulary.packed)
        given = np.repeat(np.arange(count), lengths)
        weights, figures = unpack(_sums(vocabulary.packed[words], lengths))
        source = np.lexsort((weights, spaces))
        place = np.empty(count, np.int64)
        place[source] = np.arange(count)
        keys = np.sort(place[given] * size + words)
        words, lengths, norms = keys % size, lengths[source], weights[source]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        each = unpack(vocabulary.packed[words])[0]
        before = np.concatenate(([0], np.cumsum(each)))
        rest = np.repeat(norms + before[offsets[:-1]], lengths) - before[:-1]
        floors = thresholds.floors(lengths)
        return cls(source, spaces[source], offsets, words, rest, norms, figures[source], floors)

    @property
    def lengths(self) -> Whole:
        """How many words each title has."""
        return np.diff(self.offsets)

    @property
    def needed(self) -> Whole:
        """What each title must share with another for the lowest score that it may match with."""
        # A score is rounded: half a millionth less will do.
        return -(-self.norms * (2 * self.floors - 1) // (2 * ONE))

    def prefixes(self) -> tuple[Whole, Whole]:
        """Give title and place of every word that may be the first one of a common part."""
        owners = np.repeat(np.arange(len(self.norms)), self.lengths)
        places = np.flatnonzero(self.rest >= self.needed[owners])
        return owners[places], places

    def rows(self, vocabulary: TitleVocabulary) -> NDArray[np.int32]:
        """Give a table with the words of a title in every row, filled up with no word."""
        width = int(self.lengths.max(initial=0))
        blank = vocabulary.starts[self.spaces].astype(np.int32)
        table = np.repeat(blank[:, np.newaxis], width, axis=1)
        table[np.arange(width) < self.lengths[:, np.newaxis]] = self.words
        return table


class TitleIndex:
    """Lists of the titles that have a word, in the order of their norms."""

    def __init__(self, titles: Titles) -> None:
        owners, places = titles.prefixes()
        self._size = max(1, len(titles.norms))
        keys = titles.words[places] * self._size + owners
        order = np.argsort(keys)
        self._keys = keys[order]
        self.titles = owners[order]
        """The titles of all lists, one list behind the other."""
        self.rest = titles.rest[places][order]
        """What the title weighs from the word of the list on."""
        self._sorted = (titles.spaces << _NORM_BITS) + titles.norms

    def ranges(self, titles: Titles, owners: Whole, places: Whole) -> tuple[Whole, Whole]:
        """Give begin and end of the part of a list that a word of another catalogue may match.

        ``owners`` and ``places`` name the words, as `Titles.prefixes` does.
        """
        space = titles.spaces[owners] << _NORM_BITS
        heaviest = 2 * ONE * titles.rest[places] // (2 * titles.floors[owners] - 1)
        heaviest = np.minimum(heaviest, (1 << _NORM_BITS) - 1)
        first = np.searchsorted(self._sorted, space + titles.needed[owners])
        last = np.searchsorted(self._sorted, space + heaviest, side="right")
        lists = titles.words[places] * self._size
        begin = np.searchsorted(self._keys, lists + first)
        end = np.searchsorted(self._keys, lists + last)
        return begin, np.maximum(begin, end)


def _sums(values: Whole, lengths: Whole) -> Whole:
    ends = np.cumsum(lengths)
    sums = np.concatenate(([0], np.cumsum(values)))
    return np.asarray(sums[ends] - sums[ends - lengths], np.int64)
