"""The loops over the words of an article that is described, by their hashes."""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled

_HASHES, _FOUND = array(np.uint64), array(np.uint64, written=True)
_COUNTS = array(np.int64, written=True)
_TITLED = array(np.uint8, written=True)
_TALLY: Any = types.Tuple((_FOUND, _COUNTS, _COUNTS, _TITLED))  # type: ignore[no-untyped-call]


@compiled(_FOUND, _HASHES, _HASHES)
def without(terms: Any, left_out: Any) -> Any:
    """Give the hashes that are not 0 nor in ``left_out``, which is in ascending order."""
    kept = np.empty(len(terms), np.uint64)
    count = 0
    for term in terms:
        low, high = 0, len(left_out)
        while low < high:
            middle = (low + high) // 2
            if left_out[middle] < term:
                low = middle + 1
            else:
                high = middle
        if term and (low == len(left_out) or left_out[low] != term):
            kept[count] = term
            count += 1
    return kept[:count].copy()


@compiled(_TALLY, _HASHES, _HASHES)
def tally(title: Any, body: Any) -> Any:
    """Give the distinct words of an article, in the order in which they occur, body first.

    With each: how often it occurs in the body, its first place among the words of the body, 0
    for one that is only in the title, and whether it is in the title.
    """
    most = len(title) + len(body)
    slots = 2
    while slots < 2 * most:
        slots *= 2
    mask = np.uint64(slots - 1)
    at = np.zeros(slots, np.int32)
    words = np.empty(most, np.uint64)
    counts, firsts = np.zeros(most, np.int64), np.zeros(most, np.int64)
    titled = np.zeros(most, np.uint8)
    found = 0
    for place in range(most):
        word = body[place] if place < len(body) else title[place - len(body)]
        slot = word & mask
        while at[slot] and words[at[slot] - 1] != word:
            slot = (slot + np.uint64(1)) & mask
        if not at[slot]:
            words[found] = word
            firsts[found] = place if place < len(body) else 0
            found += 1
            at[slot] = found
        if place < len(body):
            counts[at[slot] - 1] += 1
        else:
            titled[at[slot] - 1] = 1
    return words[:found].copy(), counts[:found].copy(), firsts[:found].copy(), titled[:found].copy()
