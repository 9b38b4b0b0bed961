"""How alike two described articles are, as one whole number.

The score is what both texts' keywords have in common (the cosine of their weights) and how
near their vectors are (the cosine, if positive), mixed, and halved for every half-life that
lies between the two publications. It is given in millionths, from 0 to 1 000 000.

Everything before the mixing is exact in whole numbers, and the decay is looked up by whole
hours; so a score is the same however it was computed: one pair at a time or a matrix of them.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streaming.similar.description import SCALE, Description

ONE = 1_000_000
"""The score of an article with itself."""

HOUR_MS = 3_600_000
_DAY_MS = 24 * HOUR_MS
_LONGEST_HOURS = 24 * 3_650

Scores = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a list of similar articles is; frozen in a version of the models.

    An article is compared with those of its ``scope`` that appeared at most ``window_ms``
    before it. The score of two articles published ``half_life_ms`` apart is half of what it
    would be at once; 0: time does not matter. ``vector_weight`` is the share of the vectors
    in it, from 0 to 1. Lists hold the best ``size`` articles, at most ``per_story`` of which
    are copies of one another.
    """

    scope: Literal["channel", "newsroom"] = "channel"
    window_ms: int = 30 * _DAY_MS
    half_life_ms: int = 14 * _DAY_MS
    vector_weight: float = 0.1
    size: int = 12
    per_story: int = 2

    def __post_init__(self) -> None:
        if self.window_ms < 0 or self.half_life_ms < 0 or self.size < 1 or self.per_story < 1:
            raise ValueError("window and half-life cannot be negative, size and per_story not 0")
        if not 0 <= self.vector_weight <= 1:
            raise ValueError("the share of the vectors in a score is between 0 and 1")

    def scope_of(self, channel: str) -> str:
        """Give the part of the newsroom whose articles are ranked against each other."""
        return channel if self.scope == "channel" else ""


def mix(
    ranking: Ranking,
    keywords: NDArray[np.floating],
    vectors: NDArray[np.floating],
    apart_ms: NDArray[np.int64],
) -> Scores:
    """Give scores from products of keyword weights and of vectors; arrays of one shape.

    The products are sums over int16 as `Description` has them, ``apart_ms`` is how far apart
    the two articles were published, of either sign.
    """
    share = ranking.vector_weight
    alike = (1 - share) * keywords.astype(np.float64)
    alike += share * np.maximum(vectors.astype(np.float64), 0)
    alike *= ONE / SCALE**2
    fading = decay(ranking.half_life_ms)
    hours = np.minimum(np.abs(apart_ms) // HOUR_MS, len(fading) - 1)
    scores: Scores = np.rint(np.minimum(alike, ONE) * fading[hours]).astype(np.int32)
    return scores


def score(ranking: Ranking, one: Description, other: Description, apart_ms: int) -> int:
    """Give the score of one pair."""
    _, ours, theirs = np.intersect1d(
        one.keywords, other.keywords, assume_unique=True, return_indices=True
    )
    keywords = one.weights[ours].astype(np.int64) @ other.weights[theirs].astype(np.int64)
    vectors = one.vector.astype(np.int64) @ other.vector.astype(np.int64)
    mixed = mix(ranking, *(np.array([n]) for n in (keywords, vectors, apart_ms)))
    return int(mixed[0])


def comparable(one: Description, other: Description) -> bool:
    """Whether the later of two articles, ``one``, is compared with the earlier at all.

    They share a keyword, or the earlier lies in one of the cells that the later looks into.
    A pair whose score is 0 is not alike even then.
    """
    if not set(other.cells[:1]).isdisjoint(one.cells):
        return True
    return len(np.intersect1d(one.keywords, other.keywords, assume_unique=True)) > 0


@lru_cache(maxsize=8)
def decay(half_life_ms: int) -> NDArray[np.float64]:
    """Give what is left of a score after each whole hour; the last counts for all later ones."""
    if not half_life_ms:
        return np.ones(1)
    hours = HOUR_MS / half_life_ms
    return np.array([0.5 ** (hour * hours) for hour in range(_LONGEST_HOURS)])
