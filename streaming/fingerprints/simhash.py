"""SimHash of weighted features: 64 bits that change little when the features change little.

Charikar, *Similarity estimation techniques from rounding algorithms* (STOC 2002), as it is
used for near-duplicate web pages by Manku, Jain and Das Sarma (WWW 2007). Every feature is
hashed to 64 bits; a bit of the fingerprint is set when the features whose hash has it set
weigh more than half of all.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

BITS = 64
"""Bits of a fingerprint."""
MAX_WEIGHT = 255
"""Largest weight of a feature."""

_DIGEST_BYTES = BITS // 8
_EXACT_IN_FLOAT32 = 1 << 23


def digest_of(token: str) -> int:
    """Give what SimHash adds up for a token: the last 64 bits of its MD5."""
    return int.from_bytes(_digest(token))


def _digest(token: str) -> bytes:
    return hashlib.md5(token.encode(), usedforsecurity=False).digest()[-_DIGEST_BYTES:]


def fingerprints(batch: Sequence[Mapping[str, int]]) -> list[int | None]:
    """Fingerprint many articles, each given as token -> weight.

    The value is that of ``simhash.Simhash(features).value`` (MD5, 64 bits) for the same
    mapping, bit for bit; None where there are no features, which that package cannot tell
    from a text whose bits are all zero. Weights are integers in 1..255; ValueError for any
    other, UnicodeEncodeError for a token that has no UTF-8. Does not depend on the order of
    the features.
    """
    return [_fingerprint(features) if features else None for features in batch]


def _fingerprint(features: Mapping[str, int]) -> int:
    digests = b"".join(map(_digest, features))
    try:
        packed = bytes(features.values())
    except ValueError:
        packed = b"\0"
    if 0 in packed:
        raise ValueError(f"the weight of a feature is an integer in 1..{MAX_WEIGHT}")
    weights = np.frombuffer(packed, dtype=np.uint8)
    total = int(weights.sum(dtype=np.int64))
    # A product of matrices is the fastest sum there is, and exact as long as the sums are
    # integers that the type can hold.
    exact = np.float32 if total < _EXACT_IN_FLOAT32 else np.float64
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8)).reshape(-1, BITS)
    sums = weights.astype(exact) @ bits.astype(exact)
    return int.from_bytes(np.packbits(2 * sums > total).tobytes(), "big")
