"""Bands: the keys under which fingerprints within k bits of each other are sure to meet.

The 64 bits are cut into ``blocks`` nearly equal blocks. Two fingerprints within
``blocks - chosen`` bits differ in at most that many blocks, so at least ``chosen`` blocks
are equal, and a key of every combination of ``chosen`` blocks cannot miss the pair
(pigeonhole; Manku, Jain and Das Sarma, WWW 2007, section 3). More blocks per key make longer
keys, and so fewer candidates, for more keys.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

from streaming.fingerprints.simhash import BITS

_MAX_BANDS = 256


@dataclass(frozen=True)
class BandScheme:
    """How fingerprints are cut into bands: 4 choose 1, 5 choose 2, 6 choose 3, ...

    ValueError if a band would have no bits, or if there would be more bands than the band
    number's byte can tell apart.
    """

    blocks: int = 4
    chosen: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.chosen <= self.blocks <= BITS:
            raise ValueError(
                f"bands join 1 to {self.blocks} of at most {BITS} blocks:"
                f" {self.blocks} choose {self.chosen} is not possible"
            )
        if self.bands > _MAX_BANDS:
            raise ValueError(
                f"{self.blocks} choose {self.chosen} makes {self.bands} bands per fingerprint;"
                f" at most {_MAX_BANDS} are possible"
            )

    @property
    def bands(self) -> int:
        """Number of bands, and so of keys per fingerprint."""
        return comb(self.blocks, self.chosen)

    @property
    def radius(self) -> int:
        """The largest Hamming distance within which no pair is missed."""
        return self.blocks - self.chosen

    @property
    def key_bytes(self) -> int:
        """Length of every key: the band's number and its bits, padded to whole bytes."""
        return 1 + self._value_bytes

    def band_bits(self) -> tuple[int, ...]:
        """Give the number of fingerprint bits in each band."""
        return tuple(sum(width for _, width in band) for band in self._cuts)

    def band_places(self) -> tuple[tuple[int, ...], ...]:
        """Give the places of each band's bits in a fingerprint; 0 is the lowest bit."""
        return tuple(
            tuple(shift + bit for shift, width in band for bit in range(width))
            for band in self._cuts
        )

    def values(self, fingerprints: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
        """Yield the bits of many fingerprints in each band, packed, band by band."""
        for band in self._cuts:
            packed = np.zeros_like(fingerprints)
            for shift, width in band:
                block = fingerprints >> np.uint64(shift) & np.uint64((1 << width) - 1)
                packed = (packed << np.uint64(width) if width < BITS else packed) | block
            yield packed

    def keys(self, fingerprint: int) -> tuple[bytes, ...]:
        """Give the keys of one fingerprint in band order; all have the same length."""
        size = self._value_bytes
        keys = []
        for number, band in enumerate(self._cuts):
            value = 0
            for shift, width in band:
                value = value << width | fingerprint >> shift & (1 << width) - 1
            keys.append(bytes((number,)) + value.to_bytes(size, "big"))
        return tuple(keys)

    def keys_batch(self, fingerprints: Sequence[int] | NDArray[np.uint64]) -> list[list[bytes]]:
        """Give `keys` of many fingerprints at once."""
        values = np.asarray(fingerprints, dtype=np.uint64)
        columns = []
        for number, packed in enumerate(self.values(values)):
            octets = packed.astype(">u8").view(np.uint8).reshape(-1, 8)
            raw = octets[:, 8 - self._value_bytes :].tobytes()
            prefix, size = bytes((number,)), self._value_bytes
            columns.append([prefix + raw[at : at + size] for at in range(0, len(raw), size)])
        return [list(keys) for keys in zip(*columns, strict=True)]

    @cached_property
    def _value_bytes(self) -> int:
        return (max(self.band_bits()) + 7) // 8

    @cached_property
    def _cuts(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Shift and width in bits of each block of each band."""
        edges = [BITS * block // self.blocks for block in range(self.blocks + 1)]
        cuts = [(BITS - end, end - start) for start, end in pairwise(edges)]
        return tuple(combinations(cuts, self.chosen))


def hamming(one: int, other: int) -> int:
    """Count the bits in which two fingerprints differ."""
    return (one ^ other).bit_count()


def hamming_many(one: int, others: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Count the bits in which ``one`` differs from each of ``others``."""
    counts: NDArray[np.uint8] = np.bitwise_count(np.uint64(one) ^ others)
    return counts
