"""From tokens to weighted features."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

MAX_BASE_WEIGHT = 51
"""Largest weight before the lexicon multiplies it by up to 5; 51 * 5 is the largest of all."""

VERSION = 1
"""Goes up whenever the same tokens may give other features."""

_CACHED_TOKENS = 400_000


class FeatureExtractor:
    """Weighs the tokens of an article by how much they say about it."""

    def __init__(
        self,
        idf: Mapping[str, float],
        stop_words: Collection[str] = (),
        lexicon: Mapping[str, int] | None = None,
        channel_lexicons: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        general = dict(lexicon or {})
        self._general = general
        self._by_channel = {
            channel: general | dict(words) for channel, words in (channel_lexicons or {}).items()
        }
        self._factors = _Factors(idf, stop_words)

    def features(self, tokens: Sequence[str], channel: str) -> dict[str, int]:
        """Give token -> weight 1..255; empty if no token counts as a feature."""
        lexicon = self._by_channel.get(channel, self._general)
        factors = self._factors
        features: dict[str, int] = {}
        for token, count in Counter(tokens).items():
            factor = factors[token]
            if factor:
                weight = int(factor * count**0.5 + 0.5)
                features[token] = min(weight, MAX_BASE_WEIGHT) * lexicon.get(token, 1) or 1
        return features


class _Factors(dict[str, float]):
    """What a token weighs when it occurs once; 0 if it is no feature."""

    def __init__(self, idf: Mapping[str, float], stop_words: Collection[str]) -> None:
        super().__init__()
        self._idf = idf
        self._stop_words = stop_words
        self._unknown = sum(idf.values()) / len(idf)

    def __missing__(self, token: str) -> float:
        factor = 0.0
        if len(token) > 1 and token.strip() and token not in self._stop_words:
            factor = self._idf.get(token, self._unknown)
        if len(self) >= _CACHED_TOKENS:
            self.clear()
        self[token] = factor
        return factor
