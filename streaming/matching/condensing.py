"""The loop that keeps of a text's hashes what `evidence` says, and lays it out in bytes."""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled
from streaming.matching.evidence import HEAD, MOST_FORMS, MOST_GRAMS, MOST_NAMES

# What was compiled is kept until this file changes; so whoever changes one of these has to
# change it here as well.
if (HEAD.size, HEAD.format, MOST_GRAMS, MOST_FORMS, MOST_NAMES) != (20, "<IBx7H", 4096, 512, 512):
    raise RuntimeError("compiled loops are for another encoding: put the new one here, too")

_FIRST, _COUNTS = 5, 3
"""Where the lists begin, in numbers of 32 bits, and where their sizes do, in those of 16."""
_HALF = np.uint64(32)
_CROWD = 16
"""So many hashes that begin alike are no chance: then they are sorted as numbers are."""

_I8 = types.int64
_HASHES, _PAIRS = array(np.uint64), array(np.uint64, 2)
_OUT = _SORTED = array(np.uint32, written=True)


@compiled(types.void, _OUT, _I8, _I8)
def _write_count(out: Any, which: int, count: int) -> None:
    half = _COUNTS + which
    out[half >> 1] |= np.uint32(count << 16 * (half & 1))


@compiled(_SORTED, _HASHES)
def _sorted(hashes: Any) -> Any:
    """Give the upper halves of hashes in order.

    Hashes are spread evenly, so that each has its place nearly to itself if there are as many
    places as hashes: that takes a fraction of the time that comparing them does.
    """
    values = np.empty(len(hashes), np.uint32)
    bits = np.uint64(1)
    while np.uint64(1) << bits < len(hashes):
        bits += np.uint64(1)
    shift = np.uint64(64) - bits
    ends = np.zeros((1 << bits) + 1, np.int32)
    for value in hashes:
        ends[(value >> shift) + np.uint64(1)] += 1
    crowded = False
    for place in range(1, len(ends)):
        crowded |= ends[place] > _CROWD
        ends[place] += ends[place - 1]
    for value in hashes:
        place = value >> shift
        values[ends[place]] = value >> _HALF
        ends[place] += 1
    if crowded:
        values.sort()
        return values
    for place in range(1, len(values)):
        value, before = values[place], place
        while before and values[before - 1] > value:
            values[before] = values[before - 1]
            before -= 1
        values[before] = value
    return values


@compiled(_SORTED, _HASHES)
def _distinct(hashes: Any) -> Any:
    """Give the upper halves of hashes, each once, in order."""
    values = _sorted(hashes)
    count = 0
    for place in range(len(values)):
        if not count or values[place] != values[count - 1]:
            values[count] = values[place]
            count += 1
    return values[:count]


@compiled(_I8, _OUT, _I8, _I8, _SORTED)
def _write_values(out: Any, at: int, which: int, values: Any) -> Any:
    for value in values:
        out[at] = value
        at += 1
    _write_count(out, which, len(values))
    return at


@compiled(_I8, _OUT, _I8, _I8, _HASHES)
def _write_names(out: Any, at: int, which: int, hashes: Any) -> Any:
    return _write_values(out, at, which, _distinct(hashes)[:MOST_NAMES])


@compiled(_I8, _OUT, _I8, _I8, _PAIRS, _I8)
def _write_forms(out: Any, at: int, which: int, pairs: Any, most: int) -> Any:
    """Write pairs of halves in order, of those with the same first one the smallest."""
    both = np.empty(len(pairs), np.uint64)
    for place in range(len(pairs)):
        both[place] = pairs[place, 0] >> _HALF << _HALF | pairs[place, 1] >> _HALF
    both.sort()
    count, last = 0, np.uint64(0)
    for value in both:
        if count == most:
            break
        if count and value >> _HALF == last:
            continue
        last = value >> _HALF
        out[at], out[at + 1] = last, value
        at += 2
        count += 1
    _write_count(out, which, count)
    return at


@compiled(_OUT, _I8, _HASHES, _PAIRS, _PAIRS, _HASHES, _HASHES, _HASHES, _HASHES, array(np.int64))
def condensed(
    length: int,
    grams: Any,
    figures: Any,
    phrases: Any,
    names: Any,
    subjects: Any,
    units: Any,
    words: Any,
    weights: Any,
) -> Any:
    """Keep what `evidence` keeps of these 64-bit hashes, as it is encoded."""
    singles = len(grams) + len(names) + len(subjects) + len(units)
    pairs = len(figures) + len(phrases) + len(words)
    out = np.empty(_FIRST + singles + 2 * pairs, np.uint32)
    for place in range(_FIRST):
        out[place] = 0
    out[0] = length
    kept = _distinct(grams)
    count, level, mask = len(kept), 0, np.uint32(0)
    while count > MOST_GRAMS:
        level, mask, before, count = level + 1, mask << np.uint32(1) | np.uint32(1), count, 0
        for place in range(before):
            if not kept[place] & mask:
                kept[count] = kept[place]
                count += 1
    out[1] = level
    at = _write_values(out, _FIRST, 0, kept[:count])
    at = _write_forms(out, at, 1, figures, MOST_FORMS)
    at = _write_forms(out, at, 2, phrases, MOST_FORMS)
    at = _write_names(out, at, 3, names)
    at = _write_names(out, at, 4, subjects)
    at = _write_values(out, at, 5, _distinct(units))
    weighed = np.empty((len(words), 2), np.uint64)
    for place in range(len(words)):
        weighed[place, 0] = words[place]
        weighed[place, 1] = np.uint64(place) << _HALF
    begin = at
    at = _write_forms(out, at, 6, weighed, len(words))
    # In the place of each word's place: of two with one hash the first one's.
    for slot in range(begin + 1, at, 2):
        out[slot] = weights[out[slot]] ** 2
    return out[:at]
