"""Any number of fingerprints that crowd as real ones do, for Monte Carlo and benchmarks.

SimHash is the signs of sums of random vectors, so that two articles agree in a bit with
probability ``1 - angle / pi`` (Charikar, STOC 2002); where a sum is taken to be normal, its
mean is what tips the bit, and its correlation between two articles is how alike they are.
Real pairs are alike in many degrees: most hardly at all, some share a matter, a few a form.
So the crowd is a mixture. Every fingerprint belongs to one of some hundred clusters, those of
a *level* being equally alike; its bits are drawn independently given the cluster. How many
pairs share a cluster of each level is fitted (by expectation maximisation) to how many real
pairs, far apart in the stream, differ in how many bits.

What is kept of the real ones: how often each bit is set, and how many pairs differ in how
many bits, so also how often bands of any width are shared. What is not: which bits go
together, and copies of stories, which come within days.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from streaming.compiled import array, compiled
from streaming.fingerprints.hashing import ODD, mix
from streaming.fingerprints.simhash import BITS
from streaming.offline.crowding import Crowding, Shares, Values

_LEVELS = (0.0, 0.08, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.93, 0.98)
"""Correlations of two articles of one cluster; that of strangers is the first."""
_STEPS = 3_000
_CLUSTERS = 256
_LEAST_CLUSTERS = 8
_IN_CLUSTERS = 0.9
_ONE = 1 << 16
_TABLE_BITS = 20
_POINTS = 64
"""Of the quadrature of normal densities."""
_STANDARD = NormalDist()
_CDF = np.frompyfunc(_STANDARD.cdf, 1, 1)
_16, _44 = np.uint64(16), np.uint64(64 - _TABLE_BITS)
_LOW = np.uint64(_ONE - 1)
_I8, _U8 = types.int64, types.uint64


@dataclass(frozen=True, slots=True)
class Crowd:
    """Clusters of fingerprints.

    ``thresholds`` has the shape ``(clusters, 64)`` and says how often of 65 536 times a bit is
    set, the lowest bit first. ``members`` are the numbers of clusters, each as often of
    2 to the 20 times as a fingerprint is of it.
    """

    thresholds: NDArray[np.uint16]
    members: NDArray[np.uint16]

    def draw(self, count: int, start: int = 0, seed: int = 1) -> Values:
        """Give ``count`` fingerprints from number ``start`` on, as uint64.

        Each depends on its number and the seed only, however they are drawn.
        """
        return np.asarray(drawn(self.thresholds, self.members, start, count, np.uint64(seed)))


def fit(crowding: Crowding, seed: int = 1) -> Crowd:
    """Make a crowd in which pairs are as near as those of the longest lags; ``seed``: clusters."""
    means = _quantile(np.clip(crowding.bits, 1 / _ONE, 1 - 1 / _ONE))
    levels = np.array([_distances(_agreeing(means, each)) for each in _LEVELS])
    shares = _mixture(levels, crowding.distances[0, -1].astype(float))
    draw = np.random.default_rng(seed)
    # A level of C clusters that hold a share Q of all has the share Q * Q / C of the pairs.
    roots = np.sqrt(shares[1:])
    count = int(np.clip((_IN_CLUSTERS / roots.sum()) ** 2, _LEAST_CLUSTERS, _CLUSTERS)) // 2 * 2
    scale = min(1.0, _IN_CLUSTERS / (roots.sum() * np.sqrt(count)))
    probabilities, sizes = [_normal(means)[None]], [1 - scale * roots.sum() * np.sqrt(count)]
    for level, root in zip(_LEVELS[1:], roots, strict=True):
        # In opposite pairs: together they tip no bit.
        centres = draw.standard_normal((count // 2, BITS))
        centres = np.sqrt(level) * np.concatenate([centres, -centres])
        probabilities.append(_normal((means + centres) / np.sqrt(1 - level)))
        sizes += [scale * root / np.sqrt(count)] * count
    thresholds = np.clip(np.concatenate(probabilities) * _ONE, 0, _ONE - 1).astype(np.uint16)
    ends = np.round(np.cumsum(sizes) / np.sum(sizes) * (1 << _TABLE_BITS)).astype(np.int64)
    members = np.repeat(np.arange(len(sizes)), np.diff(ends, prepend=0)).astype(np.uint16)
    return Crowd(thresholds, members)


@compiled(
    array(np.uint64, written=True),
    array(np.uint16, 2),
    array(np.uint16),
    _I8,
    _I8,
    _U8,
)
def drawn(thresholds: Any, members: Any, start: int, count: int, seed: Any) -> Any:
    """Give the fingerprints of some numbers (SplitMix64; Steele and others, OOPSLA 2014)."""
    found = np.empty(count, np.uint64)
    for place in range(count):
        state = mix(seed * ODD + np.uint64(start + place))
        cluster = members[_I8(mix(state) >> _44)]
        value = np.uint64(0)
        for word in range(16):
            state += ODD
            draw = mix(state)
            for part in range(4):
                bit = 4 * word + part
                if draw & _LOW < thresholds[cluster, bit]:
                    value |= np.uint64(1) << np.uint64(bit)
                draw >>= _16
        found[place] = value
    return found


def _mixture(levels: Shares, counts: Shares) -> Shares:
    """Shares of the levels' distributions that make the counted distances likeliest."""
    shares = np.full(len(levels), 1 / len(levels))
    observed = counts / counts.sum()
    for _ in range(_STEPS):
        shares *= levels @ (observed / np.maximum(shares @ levels, 1e-300))
    return shares


def _distances(agreeing: Shares) -> Shares:
    """Distribution of the bits in which two differ, if they agree in each so often."""
    found = np.ones(1)
    for each in agreeing:
        found = np.convolve(found, [each, 1 - each])
    return found


def _agreeing(means: Shares, correlation: float) -> Shares:
    """How often two normal variables with these means and this correlation have one sign."""
    points, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
    centres = means[:, None] + np.sqrt(correlation) * points
    above = _normal(centres / np.sqrt(1 - correlation))
    return np.asarray((above**2 + (1 - above) ** 2) @ (weights / weights.sum()))


def _normal(values: Shares) -> Shares:
    """Distribution function of the standard normal."""
    return np.asarray(_CDF(values), dtype=float)


def _quantile(shares: Shares) -> Shares:
    """Invert `_normal`."""
    return np.array([_STANDARD.inv_cdf(each) for each in shares])
