"""Fingerprints as many as are wanted, whose bits are skewed and tied as those of real articles.

A bit of a SimHash is the sign of a sum over many features, and such sums are nearly normal; so
fingerprints are the signs of normal variables (a Gaussian copula). How often each bit is set is
what it is among the real ones, and how any two are tied too: signs whose correlation is `r`
come of variables whose correlation is `sin(pi / 2 * r)` (Sheppard, 1899; exact for bits that
are set in half of all). Copies of one another are not drawn: this is a crowd of strangers.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from streaming.fingerprints.simhash import BITS

Fingerprints = NDArray[np.uint64]

_AT_ONCE = 1 << 17
_PLACES = np.arange(BITS, dtype=np.uint64)


class Crowd:
    """Draws fingerprints like these: distinct real ones, of shape ``(n,)``, some thousands."""

    def __init__(self, like: Fingerprints) -> None:
        bits = (like[:, None] >> _PLACES & np.uint64(1)).astype(np.float64)
        normal = NormalDist()
        # No bit is always the same; a sample may not have met the other.
        share = np.clip(bits.mean(axis=0), 1 / len(bits), 1 - 1 / len(bits))
        self._limits = np.array([normal.inv_cdf(each) for each in share], dtype=np.float32)
        tied = np.sin(np.pi / 2 * np.nan_to_num(np.corrcoef(bits.T)))
        np.fill_diagonal(tied, 1)
        values, vectors = np.linalg.eigh(tied)
        # What pairs say need not agree as a whole: the nearest correlations that can be.
        root = vectors * np.sqrt(np.clip(values, 0, None))
        root /= np.sqrt((root**2).sum(axis=1))[:, None]
        self._root = root.T.astype(np.float32)

    def draw(self, count: int, seed: int) -> Fingerprints:
        """Give ``count`` fingerprints, shape ``(count,)``; the same for the same seed."""
        random = np.random.default_rng(seed)
        drawn = np.empty(count, dtype=np.uint64)
        for begin in range(0, count, _AT_ONCE):
            size = min(_AT_ONCE, count - begin)
            normal = random.standard_normal((size, BITS), dtype=np.float32) @ self._root
            packed = np.packbits(normal < self._limits, axis=1, bitorder="little")
            drawn[begin : begin + size] = packed.view("<u8")[:, 0]
        return drawn
