"""Hashes of 64 bits in compiled loops: BLAKE2b of strings, and what is made of such hashes."""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled, inlined

ODD = np.uint64(0x9E3779B97F4A7C15)
SHIFT = np.uint64(29)
BYTES_PER_CHARACTER = 4
"""As many bytes a character of UTF-8 takes, at most."""

_FIRST, _SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_HALF = np.uint64(33)
_U8, _I8 = types.uint64, types.int64
_HASHES, _BYTES = array(np.uint64), array(np.uint8)

_BLOCK = 128
_INITIAL = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_PARAMETERS = np.uint64(0x01010000 ^ 8)
"""No key, no tree, a digest of 8 bytes."""
_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.uint64,
)
"""Which words of a block each of the twelve rounds takes, in turn; named as in the RFC."""


@compiled(_U8, _U8)
def mix(value: Any) -> Any:
    """Spread every bit over all 64, one to one (the finaliser of MurmurHash3)."""
    value = (value ^ (value >> _HALF)) * _FIRST
    value = (value ^ (value >> _HALF)) * _SECOND
    return value ^ (value >> _HALF)


@inlined
def _turned(value: Any, bits: Any) -> Any:
    return (value >> bits) | (value << (np.uint64(64) - bits))


@inlined
def _stirred(a: Any, b: Any, c: Any, d: Any, one: Any, other: Any) -> Any:
    a = a + b + one
    d = _turned(d ^ a, np.uint64(32))
    c = c + d
    b = _turned(b ^ c, np.uint64(24))
    a = a + b + other
    d = _turned(d ^ a, np.uint64(16))
    c = c + d
    b = _turned(b ^ c, np.uint64(63))
    return a, b, c, d


@inlined
def _word(text: Any, at: Any) -> Any:
    """Read 8 bytes, the lowest first; written so that they become a single load."""
    low = np.uint64(text[at])
    low |= np.uint64(text[at + np.uint64(1)]) << np.uint64(8)
    low |= np.uint64(text[at + np.uint64(2)]) << np.uint64(16)
    low |= np.uint64(text[at + np.uint64(3)]) << np.uint64(24)
    high = np.uint64(text[at + np.uint64(4)])
    high |= np.uint64(text[at + np.uint64(5)]) << np.uint64(8)
    high |= np.uint64(text[at + np.uint64(6)]) << np.uint64(16)
    high |= np.uint64(text[at + np.uint64(7)]) << np.uint64(24)
    return high << np.uint64(32) | low


@compiled(_U8, _BYTES, _I8, _I8)
def blake(text: Any, start: int, end: int) -> Any:
    """Give BLAKE2b (RFC 7693) of some bytes with a digest of 64 bits, read from its first on."""
    state, m = _INITIAL.copy(), np.empty(16, np.uint64)
    state[0] ^= _PARAMETERS
    at = start
    while True:
        size = min(end - at, _BLOCK)
        m[:] = 0
        for word in range(size >> 3):
            m[word] = _word(text, np.uint64(at + 8 * word))
        for byte in range(size & -8, size):
            m[byte >> 3] |= np.uint64(text[at + byte]) << np.uint64(8 * (byte & 7))
        at += size
        a0, a1, a2, a3 = state[0], state[1], state[2], state[3]
        b0, b1, b2, b3 = state[4], state[5], state[6], state[7]
        c0, c1, c2, c3 = _INITIAL[0], _INITIAL[1], _INITIAL[2], _INITIAL[3]
        d0, d1 = _INITIAL[4] ^ np.uint64(at - start), _INITIAL[5]
        d2, d3 = ~_INITIAL[6] if at == end else _INITIAL[6], _INITIAL[7]
        for turn in range(12):
            a0, b0, c0, d0 = _stirred(a0, b0, c0, d0, m[_SIGMA[turn, 0]], m[_SIGMA[turn, 1]])
            a1, b1, c1, d1 = _stirred(a1, b1, c1, d1, m[_SIGMA[turn, 2]], m[_SIGMA[turn, 3]])
            a2, b2, c2, d2 = _stirred(a2, b2, c2, d2, m[_SIGMA[turn, 4]], m[_SIGMA[turn, 5]])
            a3, b3, c3, d3 = _stirred(a3, b3, c3, d3, m[_SIGMA[turn, 6]], m[_SIGMA[turn, 7]])
            a0, b1, c2, d3 = _stirred(a0, b1, c2, d3, m[_SIGMA[turn, 8]], m[_SIGMA[turn, 9]])
            a1, b2, c3, d0 = _stirred(a1, b2, c3, d0, m[_SIGMA[turn, 10]], m[_SIGMA[turn, 11]])
            a2, b3, c0, d1 = _stirred(a2, b3, c0, d1, m[_SIGMA[turn, 12]], m[_SIGMA[turn, 13]])
            a3, b0, c1, d2 = _stirred(a3, b0, c1, d2, m[_SIGMA[turn, 14]], m[_SIGMA[turn, 15]])
        state[0] ^= a0 ^ c0
        state[1] ^= a1 ^ c1
        state[2] ^= a2 ^ c2
        state[3] ^= a3 ^ c3
        state[4] ^= b0 ^ d0
        state[5] ^= b1 ^ d1
        state[6] ^= b2 ^ d2
        state[7] ^= b3 ^ d3
        if at == end:
            break
    value = np.uint64(0)
    for byte in range(8):
        value = value << np.uint64(8) | (state[0] >> np.uint64(8 * byte)) & np.uint64(0xFF)
    return value


@compiled(_I8, types.uint32, array(np.uint8, written=True), _I8)
def spell(code: Any, text: Any, at: int) -> Any:
    """Write a code point in UTF-8; gives where it ends."""
    if code < 0x80:  # noqa: PLR2004 - UTF-8
        text[at] = code
        return at + 1
    if code < 0x800:  # noqa: PLR2004 - UTF-8
        text[at] = 0xC0 | code >> 6
        text[at + 1] = 0x80 | code & 0x3F
        return at + 2
    if code < 0x10000:  # noqa: PLR2004 - UTF-8
        text[at] = 0xE0 | code >> 12
        text[at + 1] = 0x80 | code >> 6 & 0x3F
        text[at + 2] = 0x80 | code & 0x3F
        return at + 3
    text[at] = 0xF0 | code >> 18
    text[at + 1] = 0x80 | code >> 12 & 0x3F
    text[at + 2] = 0x80 | code >> 6 & 0x3F
    text[at + 3] = 0x80 | code & 0x3F
    return at + 4


@compiled(array(np.uint64, written=True), _HASHES, _I8, _I8, _HASHES)
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
