"""What two texts have in common, word by word, under a model: for people who compare them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from streaming.similar.description import Description, Hashes64
from streaming.similar.models import Models
from streaming.similar.words import Floats, word_hash
from streaming.text.pipeline import TextPipeline
from streaming.texts import Text

MOST_KEYWORDS = 6
"""Shared keywords that are told of a pair, at most."""


class SharedKeywords:
    """Tells the keywords that one article shares with others, as words.

    Texts are described again as the query did it: the index keeps hashes only. They are
    normalised, as the index has them.
    """

    def __init__(self, models: Models, pipeline: TextPipeline, channel: str, text: Text) -> None:
        self._models, self._pipeline = models, pipeline
        self._own = self._describe(channel, text)
        tokens = {token.lower() for part in text for token in self._words(part)}
        self._spelled = {word_hash(token): token for token in tokens}

    def of(self, channel: str, text: Text) -> tuple[str, ...]:
        """Give the shared keywords, those that make most of the score first."""
        own, other = self._own, self._describe(channel, text)
        hashes, left, right = _common(own.keywords, other.keywords)
        products = own.weights[left].astype(np.int64) * other.weights[right]
        heaviest = np.lexsort((hashes, -products))[:MOST_KEYWORDS]
        return tuple(self._spelled[each] for each in hashes[heaviest].tolist())

    def _describe(self, channel: str, text: Text) -> Description:
        title, body = map(self._words, text)
        (found,) = self._models.describe([(channel, title, body)])
        return found

    def _words(self, part: str) -> list[str]:
        return self._pipeline.words(part, normalised=True)


def tfidf_cosines(
    models: Models, pipeline: TextPipeline, channel: str, text: Text, others: Iterable[Text]
) -> Floats:
    """Give the cosines of a text's TF-IDF weights with those of some others.

    A counted word weighs how often it occurs in title and body, times its inverse document
    frequency in the tables of the channel, wherever it stands.
    """
    rarity = models.tables(channel).rarity

    def weights(of: Text) -> tuple[Hashes64, Floats]:
        tokens = [token for part in of for token in pipeline.words(part, normalised=True)]
        words, counts = np.unique(models.counted(tokens), return_counts=True)
        found = counts * rarity(words)
        length = np.sqrt(found @ found)
        return words, found / length if length > 0 else found

    words, own = weights(text)
    cosines = []
    for theirs, other in map(weights, others):
        _, left, right = _common(words, theirs)
        cosines.append(own[left] @ other[right])
    return np.array(cosines, np.float64)


def _common(one: Hashes64, other: Hashes64) -> tuple[Hashes64, NDArray[np.intp], NDArray[np.intp]]:
    return np.intersect1d(one, other, assume_unique=True, return_indices=True)
