"""Loops over two sorted arrays of hashes, side by side."""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled

_SORTED = array(np.uint32)


@compiled(types.int64, _SORTED, _SORTED)
def common(one: Any, other: Any) -> Any:
    """Count the values that both have; each has a value once, and is sorted."""
    count, here, there = np.int64(0), np.int64(0), np.int64(0)
    while here < len(one) and there < len(other):
        mine, theirs = one[here], other[there]
        count += mine == theirs
        here += mine <= theirs
        there += theirs <= mine
    return count
