"""From columns of titles and words to the numbers that a join works on."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streaming.matching.title_index import Titles, TitleVocabulary
from streaming.matching.title_join import Best, join
from streaming.matching.title_thresholds import TitleThresholds
from streaming.matching.titles import Whole
from streaming.text.title_words import is_figure

_SEPARATOR = "\0"


@dataclass(frozen=True, slots=True)
class TitleColumns:
    """Titles as columns: the space of each, counted from 0, and its words, of which it has some."""

    spaces: Whole
    words: Any

    @property
    def keys(self) -> Any:
        """Give space and word of all words in one column."""
        lengths = pc.list_value_length(self.words).to_numpy(zero_copy_only=False)
        return _keys(np.repeat(self.spaces, lengths), pc.list_flatten(self.words))

    def distinct(self, ranks: Whole) -> tuple[Whole, Whole]:
        """Give one row for all titles with the same words, and which of these each title has.

        The row is that of the lowest of ``ranks``.
        """
        keys = _keys(self.spaces, pc.binary_join(self.words, _SEPARATOR)).dictionary_encode()
        codes = keys.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        order = np.lexsort((ranks, codes))
        return order[np.diff(codes[order], prepend=-1) > 0], codes

    def take(self, rows: Whole) -> Self:
        """Give some of the titles."""
        return type(self)(self.spaces[rows], self.words.take(pa.array(rows)))

    def numbered(
        self, known: Any, vocabulary: TitleVocabulary, thresholds: TitleThresholds
    ) -> Titles:
        """Replace the words by their numbers; ``known`` are the keys of the vocabulary."""
        lengths = pc.list_value_length(self.words).to_numpy(zero_copy_only=False)
        places = pc.index_in(self.keys, value_set=known)
        if places.null_count:
            raise ValueError("a title has a word that was not counted")
        numbers = vocabulary.number[places.to_numpy(zero_copy_only=False)]
        return Titles.of(self.spaces, lengths.astype(np.int64), numbers, vocabulary, thresholds)


@dataclass(frozen=True, slots=True)
class WordColumns:
    """Words as columns: the space of each, the word, and how many titles have it."""

    spaces: Whole
    words: Any
    having: Whole

    def vocabulary(self, titles: Whole) -> TitleVocabulary:
        """Number the words; ``titles`` is how many titles each space has."""
        figures = np.fromiter(map(is_figure, self.words.to_pylist()), bool, len(self.words))
        return TitleVocabulary.of(self.spaces, self.having, figures, titles)


def numbered(
    left: TitleColumns,
    right: TitleColumns,
    words: WordColumns,
    titles: Whole,
    thresholds: TitleThresholds,
) -> tuple[Titles, Titles, TitleVocabulary]:
    """Number the titles of two catalogues by the words that both have."""
    vocabulary = words.vocabulary(titles)
    known = _keys(words.spaces, words.words)
    return (
        left.numbered(known, vocabulary, thresholds),
        right.numbered(known, vocabulary, thresholds),
        vocabulary,
    )


def join_columns(
    left: TitleColumns,
    right: TitleColumns,
    right_ids: Whole,
    words: WordColumns,
    titles: Whole,
    thresholds: TitleThresholds,
) -> Best:
    """Find the best match of each left title, as `title_join.join` does.

    Titles are repeated more often than not, the same headline or the same product; all
    with the same words in a space are compared as one.
    """
    left_rows, left_codes = left.distinct(np.arange(len(left.spaces)))
    right_rows, _ = right.distinct(right_ids)
    ours, theirs, vocabulary = numbered(
        left.take(left_rows), right.take(right_rows), words, titles, thresholds
    )
    best = join(ours, theirs, right_ids[right_rows], vocabulary, thresholds)
    place = np.full(len(left_rows), -1)
    place[best.left] = np.arange(len(best.left))
    places = place[left_codes]
    matched = np.flatnonzero(places >= 0)
    places = places[matched]
    return replace(
        best,
        left=matched,
        right=right_rows[best.right[places]],
        scores=best.scores[places],
        relations=best.relations[places],
    )


def _keys(spaces: Whole, words: Any) -> Any:
    return pc.binary_join_element_wise(pa.array(spaces).cast(pa.string()), words, _SEPARATOR)
