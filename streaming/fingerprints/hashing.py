"""Hashes of 64 bits that compiled loops can form as they go."""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled

ODD = np.uint64(0x9E3779B97F4A7C15)
SHIFT = np.uint64(29)
_FIRST, _SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_HALF = np.uint64(33)
_U8 = types.uint64
_HASHES = array(np.uint64)


@compiled(_U8, _U8)
def mix(value: Any) -> Any:
    """Spread every bit over all 64, one to one (the finaliser of MurmurHash3)."""
    value = (value ^ (value >> _HALF)) * _FIRST
    value = (value ^ (value >> _HALF)) * _SECOND
    return value ^ (value >> _HALF)


@compiled(_U8, _U8, _U8)
def stir(value: Any, code: Any) -> Any:
    """Take another code point into the hash of a string; `mix` makes the last step."""
    value = (value ^ (code + ODD)) * _FIRST
    return value ^ (value >> _HALF)


@compiled(_U8, array(np.uint32))
def hash_of(codes: Any) -> Any:
    """Hash a string by its code points."""
    value = np.uint64(0)
    for code in codes:
        value = stir(value, np.uint64(code))
    return mix(value)


@compiled(
    array(np.uint64, written=True), array(np.uint64), types.int64, types.int64, array(np.uint64)
)
def banded(grams: Any, bands: int, rows: int, seeds: Any) -> Any:
    """Hash the MinHash values of each band together with the band's place."""
    smallest = np.full(bands * rows, np.iinfo(np.uint64).max, np.uint64)
    for place in range(bands * rows):
        seed, least = seeds[place], smallest[place]
        addend = seed >> SHIFT
        for gram in grams:
            least = min(least, mix(gram * seed + addend))
        smallest[place] = least
    found = np.empty(bands, np.uint64)
    for band in range(bands):
        value = np.uint64(rows)
        for row in range(rows):
            value = mix(value * ODD + smallest[row * bands + band])
        found[band] = mix(value + seeds[band])
    return found
