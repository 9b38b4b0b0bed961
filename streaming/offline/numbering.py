"""From columns of titles and words to the numbers that a join works on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streaming.matching.thresholds import Thresholds
from streaming.matching.title_index import Titles, Vocabulary
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

    def numbered(self, known: Any, vocabulary: Vocabulary, thresholds: Thresholds) -> Titles:
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

    def vocabulary(self, titles: Whole) -> Vocabulary:
        """Number the words; ``titles`` is how many titles each space has."""
        figures = np.fromiter(map(is_figure, self.words.to_pylist()), bool, len(self.words))
        return Vocabulary.of(self.spaces, self.having, figures, titles)


def numbered(
    left: TitleColumns,
    right: TitleColumns,
    words: WordColumns,
    titles: Whole,
    thresholds: Thresholds,
) -> tuple[Titles, Titles, Vocabulary]:
    """Number the titles of two catalogues by the words that both have."""
    vocabulary = words.vocabulary(titles)
    known = _keys(words.spaces, words.words)
    return (
        left.numbered(known, vocabulary, thresholds),
        right.numbered(known, vocabulary, thresholds),
        vocabulary,
    )


def _keys(spaces: Whole, words: Any) -> Any:
    return pc.binary_join_element_wise(pa.array(spaces).cast(pa.string()), words, _SEPARATOR)
