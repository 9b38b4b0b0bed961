"""Any number of fingerprints that crowd as real ones do, for Monte Carlo and benchmarks.

Real pairs are alike in many degrees: most hardly at all, some share a matter, a few a form.
So the crowd is a mixture. Every fingerprint belongs to one of some hundred clusters; given
the cluster, its bits are drawn independently, each set as often as among the real ones, but
for a tilt up or down that is the cluster's own. Clusters of a *level* have tilts of one size,
and so make their members equally alike. How many pairs share a cluster of each level is
fitted to how many real pairs, far apart in the stream, differ in how many bits: by least
squares without negative shares, and weighted, since what counts are the few that differ in
little.

What is kept of the real ones: how often each bit is set, and how many pairs differ in how
many bits, so also how often bands of any width are shared. What is not: which bits go
together, and copies of stories, which come within days.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from streaming.compiled import array, compiled
from streaming.fingerprints.bands import BandScheme
from streaming.fingerprints.hashing import ODD, mix
from streaming.fingerprints.simhash import BITS
from streaming.offline.crowding import Crowding, Shares, Values

_TILTS = (0.0, 0.13, 0.18, 0.22, 0.26, 0.3, 0.34, 0.38, 0.42, 0.46)
"""Of the levels, for bits that are set half of the time; others can be tilted less. Two of a
cluster agree in a bit more often by twice the square of its tilt."""
_DRAFTS = 64
"""Crowds that are drawn, of which that is kept whose bands are shared most nearly as often."""
_SCHEMES = (BandScheme(4, 1), BandScheme(5, 2), BandScheme(6, 3))
_STEPS = 20_000
_FITTED = BITS // 2
"""Distances that are fitted: those below it make what is shared by bands."""
_PRECISION = 0.05
"""No distance is fitted more closely than this, however many pairs there are."""
_CLUSTERS = 256
_LEAST_CLUSTERS = 8
_IN_CLUSTERS = 0.9
_ONE = 1 << 16
_TABLE_BITS = 20
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
    levels = np.array([_distances(_agreeing(crowding.bits, tilt)) for tilt in _TILTS])
    shares = _mixture(levels, crowding.distances[0, -1].astype(float))
    # A level of C clusters that hold a share Q of all has the share Q * Q / C of the pairs.
    roots = np.sqrt(shares[1:])
    count = int(np.clip((_IN_CLUSTERS / roots.sum()) ** 2, _LEAST_CLUSTERS, _CLUSTERS)) // 2 * 2
    each = np.repeat(roots / np.sqrt(count), count)
    sizes = np.concatenate([[0], min(1.0, _IN_CLUSTERS / each.sum()) * each])
    sizes[0] = 1 - sizes.sum()
    draw = np.random.default_rng(seed)
    drafts = [_clusters(crowding.bits, count, draw) for _ in range(_DRAFTS)]
    wanted = np.array([crowding.rate(scheme).mean for scheme in _SCHEMES])

    def error(clusters: Shares) -> float:
        made = np.array([_shared(scheme, sizes, clusters) for scheme in _SCHEMES])
        return float(np.abs(np.log(made / wanted)).max())

    thresholds = np.clip(min(drafts, key=error) * _ONE, 0, _ONE - 1).astype(np.uint16)
    ends = np.round(np.cumsum(sizes) * (1 << _TABLE_BITS)).astype(np.int64)
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


def _clusters(bits: Shares, count: int, draw: np.random.Generator) -> Shares:
    """Probabilities of the bits in each cluster: of those without tilt, then level by level."""
    clusters = [bits[None]]
    for tilt in _TILTS[1:]:
        # In opposite pairs: together they tip no bit.
        signs = draw.choice([-1.0, 1.0], (count // 2, BITS))
        clusters.append(bits + tilt * _room(bits) * np.concatenate([signs, -signs]))
    return np.concatenate(clusters)


def _shared(scheme: BandScheme, sizes: Shares, clusters: Shares) -> float:
    """Bands that two of a crowd share on the average; pairs of two clusters are as strangers."""
    within = sizes**2
    within[0] += 1 - within.sum()
    agreeing = clusters**2 + (1 - clusters) ** 2
    return sum(float(within @ agreeing[:, list(band)].prod(1)) for band in scheme.band_places())


def _mixture(levels: Shares, counts: Shares) -> Shares:
    """Shares of the levels' distributions that together come nearest to the counted distances.

    Multiplicative updates keep them positive (Lee and Seung, NIPS 2000).
    """
    pairs = counts.sum()
    observed, fitted = counts[:_FITTED] / pairs, levels[:, :_FITTED]
    weights = 1 / (observed / pairs + 1 / pairs**2 + (_PRECISION * observed) ** 2)
    wanted, products = (fitted * weights) @ observed, (fitted * weights) @ fitted.T
    shares = np.full(len(levels), 1 / len(levels))
    for _ in range(_STEPS):
        shares *= wanted / (products @ shares)
    return shares


def _distances(agreeing: Shares) -> Shares:
    """Distribution of the bits in which two differ, if they agree in each so often."""
    found = np.ones(1)
    for each in agreeing:
        found = np.convolve(found, [each, 1 - each])
    return found


def _agreeing(bits: Shares, tilt: float) -> Shares:
    """How often two of a cluster agree in each bit, on the average over up and down."""
    return np.asarray(bits**2 + (1 - bits) ** 2 + 2 * (tilt * _room(bits)) ** 2)


def _room(bits: Shares) -> Shares:
    """How far bits can be tilted, at most: those that never change not at all."""
    return 2 * np.minimum(bits, 1 - bits)
