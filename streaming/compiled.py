"""Loops that numpy has no words for, compiled by Numba when their module is first imported.

What was compiled is kept beside the source or, if nobody may write there, in the user's
cache; ``NUMBA_CACHE_DIR`` names another place. Where there is none it is compiled anew in
every process that imports it, which takes some seconds.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numba
from numba import types

Function = Callable[..., Any]


def compiled(result: Any, *arguments: Any) -> Callable[[Function], Function]:
    """Compile a function for one signature; it lets other threads run meanwhile.

    Arithmetic is that of the source: no operation is fused with or reordered for another.
    """
    return _jitted([result(*arguments)])


def inlined(function: Function) -> Function:
    """Make a function a part of each compiled one that calls it.

    To hand an array over in a real call takes about as long as to do something with it.
    """
    return _jitted(None, inline="always")(function)


def array(kind: Any, dimensions: int = 1, *, written: bool = False) -> Any:
    """Give the type of a contiguous array, for a signature; ``kind`` is a dtype.

    Of one that is not ``written`` read-only ones are taken as well.
    """
    return types.Array(numba.from_dtype(kind), dimensions, "C", readonly=not written)


def _jitted(signatures: Sequence[Any] | None, **options: Any) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        try:
            made: Function = numba.njit(signatures, cache=True, nogil=True, **options)(function)
        except RuntimeError:  # there is no place to keep it
            made = numba.njit(signatures, nogil=True, **options)(function)
        return made

    return decorate
