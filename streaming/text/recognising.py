"""The loop from the words of a text to its keys and the evidence that is kept of it."""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled
from streaming.fingerprints.sketching import keys
from streaming.matching.condensing import condensed
from streaming.text.reading import read_bigrams, read_names

_I8 = types.int64
_HASHES, _PAIRS = array(np.uint64), array(np.uint64, 2)
_OCTETS = array(np.uint8, written=True)
_TOLD: Any = types.Tuple((_OCTETS, array(np.uint32, written=True)))  # type: ignore[no-untyped-call]


@compiled(
    _TOLD,
    *(array(np.int32), _PAIRS, array(np.uint8), array(np.int32, written=True)),
    *(_I8, _I8, _HASHES, _PAIRS, _HASHES),
    *(_HASHES, _HASHES, array(np.int64), _HASHES),
)
def recognised(
    numbers: Any,
    hashed: Any,
    flags: Any,
    counts: Any,
    length: int,
    is_brief: int,
    clauses: Any,
    phrases: Any,
    title: Any,
    units: Any,
    words: Any,
    weights: Any,
    seeds: Any,
) -> Any:
    """Give the keys of a text, packed, and its evidence; see `shingles.keys` and `evidence`.

    ``hashed``, ``flags`` and ``counts`` are what is known of words by their ``numbers``;
    ``seeds`` are those of the hash functions of shingles.
    """
    size = len(numbers)
    grams, figures = np.empty(size, np.uint64), np.empty((size, 2), np.uint64)
    count, held = read_bigrams(numbers, hashed, flags, grams, figures)
    names, subjects = np.empty(size, np.uint64), np.empty(size, np.uint64)
    named, about = read_names(numbers, hashed, flags, is_brief, counts, names, subjects)
    found = keys(clauses, grams[:count], units, length, title, seeds)
    packed = np.empty(8 * len(found), np.uint8)
    for place in range(len(packed)):
        packed[place] = found[place >> 3] >> np.uint64(56 - 8 * (place & 7))
    kept = condensed(
        length,
        grams[:count],
        figures[:held],
        phrases,
        names[:named],
        subjects[:about],
        units,
        words,
        weights,
    )
    return packed, kept
