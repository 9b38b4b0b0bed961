"""What an article is recognised by: fingerprint, shingle keys and evidence of its words.

Loads what is compiled, so it is imported when the first article is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.text import reading
from streaming.text.contrasts import Contrasts
from streaming.text.features import BODY_FEATURES, FeatureExtractor
from streaming.text.lexemes import Lexemes
from streaming.text.segment import Segmenter, Tokens
from streaming.text.shingling import Passage, shingle

Terms = NDArray[np.uint64]

_TOGETHER = 64


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What was read of an article: the terms of its words, and what it is recognised by."""

    title: Terms
    body: Terms
    fingerprint: int | None
    shingles: bytes
    evidence: bytes


class Reader:
    """Reads normalised and simplified articles; not to be used by several threads at once."""

    def __init__(
        self, segmenter: Segmenter, extractor: FeatureExtractor, contrasts: Contrasts
    ) -> None:
        self._segmenter, self._extractor, self._contrasts = segmenter, extractor, contrasts
        self._lexemes = Lexemes(segmenter.dictionary, extractor)
        self._fingerprint, self._scratch = np.empty(1, np.uint64), np.empty(0, np.int32)

    def read(self, articles: Sequence[tuple[str, str, str]]) -> Iterator[Read]:
        """Read titles and bodies of articles and their channels."""
        # Together, since to find out what is new of their words takes its time; but not so
        # many that what is read of them is no longer at hand.
        for begin in range(0, len(articles), _TOGETHER):
            yield from self._read(articles[begin : begin + _TOGETHER])

    def _read(self, articles: Sequence[tuple[str, str, str]]) -> Iterator[Read]:
        texts = [text for title, body, _ in articles for text in (title, body)]
        tokens = self._segmenter.tokens(texts)
        self._lexemes.meet(tokens)
        for (_, _, channel), title, body in zip(articles, tokens[::2], tokens[1::2], strict=True):
            keys, evidence = shingle(
                Passage.read(title, titled=True),
                Passage.read(body),
                self._lexemes,
                self._extractor,
                self._contrasts,
            )
            terms = self._lexemes.terms
            yield Read(
                terms[title.numbers],
                terms[body.numbers],
                self._fingerprinted(title, body, channel),
                keys,
                evidence,
            )

    def _fingerprinted(self, title: Tokens, body: Tokens, channel: str) -> int | None:
        numbers = body.numbers
        count = self._features(numbers, channel)
        if len(title.numbers) and count < BODY_FEATURES:
            count = self._features(np.concatenate([title.numbers, numbers]), channel)
        return int(self._fingerprint[0]) if count else None

    def _features(self, numbers: NDArray[np.int32], channel: str) -> int:
        known = self._lexemes
        if len(numbers) > len(self._scratch):
            self._scratch = np.empty(len(numbers), np.int32)
        count: int = reading.read_features(
            numbers,
            known.weights(channel),
            known.digests,
            known.counts,
            self._scratch,
            self._fingerprint,
        )
        return count
