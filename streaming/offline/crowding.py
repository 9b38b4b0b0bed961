"""How real fingerprints crowd: what a look-up by bands finds among any number of them.

Two fingerprints of strangers do not agree in a band's bits as coins would: features that
nearly every article has tip some bits, and articles on one matter tip the same ones. So
what is expected of a band comes from pairs of real fingerprints, two things of which are
counted:

* how many bits they differ in. Of pairs that differ in ``d`` of 64 bits, the share
  ``C(64 - d, w) / C(64, w)`` agree in ``w`` bits drawn at random. Averaged over the pairs this
  is an unbiased estimate for bands of ``w`` bits (the Rao-Blackwell theorem: the mean over all
  bands that might have been drawn), and one with little variance: a key of 32 bits is
  hardly ever shared within a sample, but pairs that differ in 10 to 20 bits are many. What
  the bits of one particular band are worth beside random ones follows from how often each
  bit is set.
* how far apart in the stream they came. Copies of a story come within days, and how many of
  them there are has nothing to do with the size of the index; strangers, and forms that are
  filled in every week, are as many as the index is large. So pairs are counted by *lag*, and
  the rate of the longest lags is taken to go on for ever.

Intervals are by the jackknife over ten parts of the stream (Efron and Stein, The jackknife
estimate of variance, 1981): pairs of one article are no independent observations. What was
never seen may still be: below the smallest distance that two articles far apart had, three in
all pairs are allowed for (the rule of three).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, exp, log, prod, sqrt
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from streaming.compiled import array, compiled
from streaming.fingerprints.bands import BandScheme
from streaming.fingerprints.simhash import BITS

PARTS = 10
"""Parts of the stream, each of which is left out once."""
MOST_COMPARED = 40_000
"""Articles of a larger sample of which all pairs are compared: 800 million, one second."""

_FIRST_EDGE = 512
_DEVIATIONS = 1.96
_LARGEST_ERROR = 10.0
_RULE_OF_THREE = 3
_EVER = 2**62
_FIFTHS, _THIRDS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_NIBBLES, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_1, _2, _4, _56 = (np.uint64(bits) for bits in (1, 2, 4, 56))
_I8 = types.int64

Counts = NDArray[np.int64]
Values = NDArray[np.uint64]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, and the interval that holds it with a confidence of 95 %."""

    mean: float
    low: float
    high: float

    def times(self, factor: float) -> "Estimate":
        """Scale the whole of it."""
        return Estimate(self.mean * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Crowding:
    """Pairs of distinct fingerprints of a sample, by lag and by the bits they differ in.

    ``edges`` are the lags, in articles, at which the classes of lags begin; the last class has
    no end. ``distances`` has the shape ``(1 + PARTS, classes, 65)``: of all pairs, and then
    without those of each part of the stream in turn; pairs of two channels are left out if the
    scope is the channel. ``pairs`` are all pairs there were, of the shape
    ``(1 + PARTS, classes)``. ``bits`` is the share of fingerprints that have a bit set, the
    lowest bit first.
    """

    edges: tuple[int, ...]
    distances: Counts
    pairs: Counts
    bits: Shares

    def candidates(self, scheme: BandScheme, size: int, beyond: int = -1) -> Estimate:
        """Fingerprints that the bands of one article give, of the ``size`` that came before it.

        One that is met in several bands counts as often, as it is read as often. ``beyond``
        leaves out those within so many bits: the copies that are looked for.
        """
        weights = self._weights(scheme)
        weights[: beyond + 1] = 0
        return self._expected(weights, size)

    def near(self, radius: int, size: int) -> Estimate:
        """Other fingerprints within ``radius`` bits, of the ``size`` that came before."""
        return self._expected((np.arange(BITS + 1) <= radius).astype(float), size)

    def rate(self, scheme: BandScheme) -> Estimate:
        """Give by how much `candidates` grow with each fingerprint of a large index."""
        weights = self._weights(scheme)
        return self._with_unseen(_estimate(self._rates(weights)[:, -1]), weights, 1)

    def _weights(self, scheme: BandScheme) -> Shares:
        """Expected number of bands that two fingerprints share, by the bits they differ in."""
        agreeing = self.bits**2 + (1 - self.bits) ** 2
        weights = np.zeros(BITS + 1)
        for band in scheme.band_places():
            width = len(band)
            skew = prod(agreeing[list(band)]) / _mean_product(agreeing, width)
            weights += skew * _SHARED[width]
        return weights

    def _rates(self, weights: Shares) -> Shares:
        return np.asarray(self.distances @ weights / np.maximum(self.pairs, 1))

    def _expected(self, weights: Shares, size: int) -> Estimate:
        starts = np.array(self.edges, dtype=float)
        ends = np.array([*self.edges[1:], _EVER], dtype=float)
        lags = np.clip(size - starts, 0, ends - starts)
        return self._with_unseen(_estimate(self._rates(weights) @ lags), weights, lags[-1])

    def _with_unseen(self, estimate: Estimate, weights: Shares, lags: float) -> Estimate:
        """Allow for pairs of the last class that are nearer than any that was seen."""
        seen = np.flatnonzero(self.distances[0, -1])
        if not len(seen) or seen[0] <= 1:
            return estimate
        unseen = _RULE_OF_THREE * lags / self.pairs[0, -1] * weights[1 : seen[0]].mean()
        return Estimate(estimate.mean, estimate.low, estimate.high + float(unseen))


def measure(fingerprints: Values, channels: Sequence[str] | None = None, seed: int = 1) -> Crowding:
    """Compare the fingerprints of a stream, given in its order, with each other.

    Of equal ones the first counts. Only those of one channel are compared if ``channels``
    names that of each. Of more than `MOST_COMPARED` so many are drawn by ``seed``, and stand
    where they stood. ValueError if there are fewer than two per part.
    """
    _, firsts = np.unique(fingerprints, return_index=True)
    places = np.sort(firsts)
    if len(places) < 2 * PARTS:
        raise ValueError(f"{len(places)} distinct fingerprints are too few to tell how they crowd")
    values = fingerprints[places]
    names = None if channels is None else np.asarray(channels)[places]
    positions = np.arange(len(values))
    edges = _edges(len(values))
    bits = _bits(values)
    if len(values) > MOST_COMPARED:
        drawn = np.random.default_rng(seed).choice(len(values), MOST_COMPARED, replace=False)
        positions = np.sort(drawn)
        values = values[positions]
        names = None if names is None else names[positions]
    parts = positions * PARTS // (positions[-1] + 1)
    limits = np.array([*edges, _EVER])
    whole = _left_out(pair_counts(values, positions, parts, limits))
    if names is None:
        return Crowding(edges, whole, whole.sum(2), bits)
    within = np.zeros_like(whole)
    for name in np.unique(names):
        own = names == name
        within += _left_out(pair_counts(values[own], positions[own], parts[own], limits))
    return Crowding(edges, within, whole.sum(2), bits)


@compiled(
    array(np.int64, 4, written=True),
    array(np.uint64),
    array(np.int64),
    array(np.int64),
    array(np.int64),
)
def pair_counts(values: Any, positions: Any, parts: Any, limits: Any) -> Any:
    """Count pairs by the parts of the earlier and the later one, their lag and their distance."""
    last = parts[-1] + 1 if len(parts) else 1
    counts = np.zeros((last, last, len(limits) - 1, 65), np.int64)
    for one in range(len(values)):
        lag = 0
        for other in range(one + 1, len(values)):
            while positions[other] - positions[one] >= limits[lag + 1]:
                lag += 1
            bits = values[one] ^ values[other]
            # Bits are counted within pairs, fours and bytes (Hacker's Delight, 5-1).
            bits -= (bits >> _1) & _FIFTHS
            bits = (bits & _THIRDS) + ((bits >> _2) & _THIRDS)
            bits = (bits + (bits >> _4)) & _NIBBLES
            distance = _I8((bits * _BYTES) >> _56)
            counts[parts[one], parts[other], lag, distance] += 1
    return counts


def _left_out(counts: Counts) -> Counts:
    """From counts by parts to those of all, and to those without each part in turn."""
    every = counts.sum(axis=(0, 1))
    found = np.tile(every, (1 + PARTS, 1, 1))
    for part in range(len(counts)):
        found[1 + part] -= counts[part].sum(0) + counts[:, part].sum(0) - counts[part, part]
    return found


def _edges(size: int) -> tuple[int, ...]:
    """Classes of lags that double; the last begins before half the sample, to have enough pairs."""
    edges, edge = [0], _FIRST_EDGE
    while 2 * edge <= size:
        edges.append(edge)
        edge *= 2
    return tuple(edges)


def _bits(values: Values) -> Shares:
    places = np.arange(BITS, dtype=np.uint64)
    return np.array([float(np.mean(values >> place & _1)) for place in places])


def _mean_product(factors: Shares, count: int) -> float:
    """Mean product of ``count`` of these factors: an elementary symmetric polynomial's mean."""
    sums = np.zeros(count + 1)
    sums[0] = 1
    for factor in factors:
        sums[1:] += factor * sums[:-1]
    return float(sums[count]) / comb(BITS, count)


def _estimate(values: Shares) -> Estimate:
    """From the value of all and those without each part; on a logarithmic scale."""
    mean, others = float(values[0]), values[1:]
    if mean <= 0 or others.min() <= 0:
        return Estimate(mean, 0.0, mean * _LARGEST_ERROR)
    logs = np.log(others)
    deviation = sqrt((PARTS - 1) / PARTS * float(((logs - logs.mean()) ** 2).sum()))
    factor = exp(min(_DEVIATIONS * deviation, log(_LARGEST_ERROR)))
    return Estimate(mean, mean / factor, mean * factor)


_SHARED = np.array(
    [
        [comb(BITS - distance, width) / comb(BITS, width) for distance in range(BITS + 1)]
        for width in range(BITS + 1)
    ]
)
"""Share of the pairs of a distance, in bits, that agree in so many bits drawn at random."""
