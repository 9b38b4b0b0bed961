"""What is known of words, in arrays by the segmenter's numbers, so that loops can look it up.

A word is worked out with strings when it is met for the first time; `features` and
`word_forms` say how.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streaming.fingerprints.simhash import digest_of
from streaming.similar.words import term_of
from streaming.text import reading
from streaming.text.dictionary import Dictionary
from streaming.text.features import MOST_COUNTED, FeatureExtractor
from streaming.text.segment import Tokens
from streaming.text.word_forms import word_and_form

_MORE = 1 << 16
_NO_WORD = (0, 0)

Value = TypeVar("Value", bound=np.generic)


class Lexemes:
    """Hashes, flags and weights of words by number.

    ``hashed``, uint64 of shape ``(n, 2)``, has the hashes of a word and of its form with
    figures masked; ``flags``, uint8, what `reading` says a word can be; ``digests``, uint64,
    what SimHash adds up; ``terms``, uint64, what models know it by; `weights`, uint8 of shape
    ``(n, 7)``, what its features weigh.

    Of the words of the texts that were `met` in the dictionary's present era.
    """

    def __init__(self, dictionary: Dictionary, extractor: FeatureExtractor) -> None:
        self._dictionary, self._extractor = dictionary, extractor
        self._era = dictionary.era
        channels = ("", *extractor.channels)
        self._weights = {channel: np.empty((0, 1 + MOST_COUNTED), np.uint8) for channel in channels}
        self._known = self.flags = np.empty(0, np.uint8)
        self.hashed = np.empty((0, 2), np.uint64)
        self.digests = np.empty(0, np.uint64)
        self.terms = np.empty(0, np.uint64)
        self.counts = np.empty(0, np.int32)
        """Zeros, for loops to count in."""

    def weights(self, channel: str) -> NDArray[np.uint8]:
        """Give the weights of words in a channel."""
        return self._weights.get(channel, self._weights[""])

    def meet(self, texts: Sequence[Tokens]) -> None:
        """Work out the words of texts that were not met before."""
        if self._era != self._dictionary.era:
            self._era = self._dictionary.era
            self._known[len(self._dictionary.places) :] = 0
        if self._dictionary.numbers > len(self._known):
            self._grow(self._dictionary.numbers + _MORE)
        new: dict[int, str] = {}
        for tokens in texts:
            places = np.empty(len(tokens.numbers), np.int32)
            count = reading.strangers(tokens.numbers, self._known, places)
            for place in places[:count].tolist():
                begin = tokens.ends[place - 1] if place else 0
                new[int(tokens.numbers[place])] = tokens.text[begin : tokens.ends[place]]
        if new:
            self._learn(np.array([*new]), [*new.values()])

    def _learn(self, numbers: NDArray[np.int64], tokens: Sequence[str]) -> None:
        extractor, idf = self._extractor, self._extractor.idf(tokens)
        hashed = [word_and_form(token) for token in tokens]
        self.hashed[numbers] = [each or _NO_WORD for each in hashed]
        self.digests[numbers] = [
            0 if each is None else digest_of(token)
            for token, each in zip(tokens, hashed, strict=True)
        ]
        self.terms[numbers] = [
            0 if each is None else term_of(token, each[0])
            for token, each in zip(tokens, hashed, strict=True)
        ]
        is_word = np.array([each is not None for each in hashed], np.uint8)
        is_rare = np.array(extractor.are_rare(tokens, idf), np.uint8)
        is_known = ~np.isnan(idf)
        self.flags[numbers] = (
            reading.WORD * is_word | reading.RARE * is_rare | reading.KNOWN * is_known
        )
        for channel, weights in self._weights.items():
            weights[numbers] = extractor.weigh(tokens, idf, channel)

    def _grow(self, size: int) -> None:
        self._known = _longer(self._known, size)
        self.flags = _longer(self.flags, size)
        self.hashed = _longer(self.hashed, size)
        self.digests = _longer(self.digests, size)
        self.terms = _longer(self.terms, size)
        self.counts = _longer(self.counts, size)
        self._weights = {c: _longer(weights, size) for c, weights in self._weights.items()}


def _longer(values: NDArray[Value], size: int) -> NDArray[Value]:
    longer = np.zeros((size, *values.shape[1:]), values.dtype)
    longer[: len(values)] = values
    return longer
