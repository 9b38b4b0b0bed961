"""The loop that chooses the keys of a text by the hashes of its clauses and bigrams."""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled
from streaming.fingerprints.hashing import banded, mix
from streaming.fingerprints.shingles import (
    BANDS,
    BEGINNING,
    CLAUSES_PER_KEY,
    FEWEST_CLAUSES,
    FIRST_CLAUSES,
    HEADLINE,
    HEADLINE_BANDS,
    LONGER,
    LONGER_BANDS,
    MOST_CLAUSES,
    ROWS,
    SHORT,
    SHORT_BANDS,
    SHORT_ROWS,
    TITLE,
)

# What was compiled is kept until this file changes; so whoever changes one of these has to
# change it here as well.
_CLAUSES = (FEWEST_CLAUSES, MOST_CLAUSES, CLAUSES_PER_KEY, BEGINNING, FIRST_CLAUSES)
_LENGTHS = (HEADLINE, LONGER, SHORT)
_BANDED = (BANDS, ROWS, SHORT_BANDS, SHORT_ROWS, HEADLINE_BANDS, LONGER_BANDS, int(TITLE))
if (*_CLAUSES, *_LENGTHS, *_BANDED) != (
    *(8, 16, 12, 4, 3),
    *(50, 75, 140),
    *(2, 3, 8, 2, 20, 12, 0x7469746C65000000),
):
    raise RuntimeError("compiled loops are for other constants: put the new ones here, too")

_ROOM = MOST_CLAUSES + FIRST_CLAUSES + SHORT_BANDS + HEADLINE_BANDS + 1
_I8 = types.int64
_HASHES, _KEYS = array(np.uint64), array(np.uint64, written=True)


@compiled(_I8, _KEYS, _I8)
def _distinct(values: Any, count: int) -> Any:
    """Sort the first values of an array, and keep each once; gives how many are left."""
    values[:count].sort()
    kept = 0
    for place in range(count):
        if not kept or values[place] != values[kept - 1]:
            values[kept] = values[place]
            kept += 1
    return kept


@compiled(_I8, _KEYS, _I8, _KEYS, _I8)
def _append(found: Any, count: int, values: Any, most: int) -> Any:
    """Add the first values of an array to so many that were found; gives how many there are."""
    for place in range(most):
        found[count + place] = values[place]
    return count + most


@compiled(_KEYS, _HASHES, _HASHES, _HASHES, _I8, _HASHES, _HASHES)
def keys(clauses: Any, grams: Any, units: Any, length: int, title: Any, seeds: Any) -> Any:
    """Give what `shingles.keys` says; ``seeds`` are those of its hash functions."""
    found = np.empty(_ROOM, np.uint64)
    smallest = clauses.copy()
    most = min(MOST_CLAUSES, FEWEST_CLAUSES + len(clauses) // CLAUSES_PER_KEY)
    count = _append(found, 0, smallest, min(_distinct(smallest, len(smallest)), most))
    first = clauses[:BEGINNING].copy()
    few = min(_distinct(first, len(first)), FIRST_CLAUSES)
    count = _append(found, count, first, few)
    bands, rows, more = BANDS, ROWS, 0
    if length < HEADLINE:
        bands, more = 0, HEADLINE_BANDS
    elif length < SHORT:
        bands, rows, more = SHORT_BANDS, SHORT_ROWS, LONGER_BANDS if length < LONGER else 0
    if bands and len(grams):
        count = _append(found, count, banded(grams, bands, rows, seeds), bands)
    if more and len(units):
        count = _append(found, count, banded(units, HEADLINE_BANDS, SHORT_ROWS, seeds), more)
    if len(title):
        found[count] = mix(title[0] ^ TITLE)
        count += 1
    return found[: _distinct(found, count)]
