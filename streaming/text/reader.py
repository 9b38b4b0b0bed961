"""What an article is recognised by: fingerprint, shingle keys and evidence of its words.

Loads what is compiled, so it is imported when the first article is read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.matching.evidence import Evidence
from streaming.text import reading
from streaming.text.contrasts import Contrasts
from streaming.text.features import BODY_FEATURES, FeatureExtractor
from streaming.text.lexemes import Lexemes
from streaming.text.segment import Segmenter, Tokens
from streaming.text.shingling import Passage, shingle


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What was read of an article: its tokens, and what it is recognised by."""

    title: Tokens
    body: Tokens
    fingerprint: int | None
    shingles: tuple[int, ...]
    evidence: Evidence


class Reader:
    """Reads normalised and simplified articles; not to be used by several threads at once."""

    def __init__(
        self, segmenter: Segmenter, extractor: FeatureExtractor, contrasts: Contrasts
    ) -> None:
        self._segmenter, self._extractor, self._contrasts = segmenter, extractor, contrasts
        self._lexemes = Lexemes(segmenter.dictionary, extractor)

    def read(self, title: str, body: str, channel: str) -> Read:
        """Read an article of a channel."""
        heading, text = self._segmenter.tokens([title, body])
        self._lexemes.meet([heading, text])
        keys, evidence = shingle(
            Passage.read(heading),
            Passage.read(text),
            self._lexemes,
            self._extractor,
            self._contrasts,
        )
        return Read(heading, text, self._fingerprint(heading, text, channel), keys, evidence)

    def _fingerprint(self, title: Tokens, body: Tokens, channel: str) -> int | None:
        value, numbers = np.empty(1, np.uint64), body.numbers
        count = self._features(numbers, channel, value)
        if len(title.numbers) and count < BODY_FEATURES:
            count = self._features(np.concatenate([title.numbers, numbers]), channel, value)
        return int(value[0]) if count else None

    def _features(
        self, numbers: NDArray[np.int32], channel: str, fingerprint: NDArray[np.uint64]
    ) -> int:
        known, scratch = self._lexemes, np.empty(len(numbers), np.int32)
        weights = known.weights(channel)
        count: int = reading.read_features(
            numbers, weights, known.digests, known.counts, scratch, fingerprint
        )
        return count
