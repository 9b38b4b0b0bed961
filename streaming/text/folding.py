"""The loop that unifies characters and white space of ordinary text, as `normalise` does with any.

Ordinary is what is made of characters that stand for themselves or for one other, whatever
stands beside them: nearly all text. The rest is left to `unicodedata`.
"""

import unicodedata
from functools import cache
from re import Pattern
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from streaming.compiled import array, compiled

LAST = 0x2FFFF
"""The last character that may be ordinary."""
OTHER, NOTHING, SPACE, LINE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
"""What a character becomes that is not ordinary, that is left out, or that is white space."""

_BLOCK = 256
_SPACE, _NEWLINE = 32, 10


@cache
def forms(invisible: Pattern[str], maybe_mark: Pattern[str]) -> NDArray[np.uint32]:
    """Give what each code point up to `LAST` becomes by itself; the patterns are `normalise`'s."""
    found = np.arange(LAST + 1, dtype=np.uint32)
    for start in range(0, LAST + 1, _BLOCK):
        block = "".join(map(chr, range(start, start + _BLOCK)))
        plain = start >= _BLOCK and unicodedata.is_normalized("NFKC", block)
        if plain and block.isalpha() and not (maybe_mark.search(block) or invisible.search(block)):
            continue
        found[start : start + _BLOCK] = [_form(each, invisible, maybe_mark) for each in block]
    return found


def _form(character: str, invisible: Pattern[str], maybe_mark: Pattern[str]) -> int:
    if invisible.fullmatch(character):
        return NOTHING
    form = unicodedata.normalize("NFKC", character)
    if len(form.splitlines()) != 1 or form.splitlines()[0] != form:
        return LINE
    if form.isspace():
        return SPACE
    if len(form) != 1 or maybe_mark.search(character + form):
        return OTHER
    return ord(form)


@compiled(types.int64, array(np.uint32), array(np.uint32), array(np.uint32, written=True))
def fold(codes: Any, forms: Any, folded: Any) -> Any:
    """Write ordinary text with its characters and white space unified; gives how long it is.

    A run of white space becomes one space, or one newline if it holds a line break; there is
    none at the ends. -1 if the text is not ordinary.
    """
    count, gap = np.int64(0), np.uint32(0)
    for code in codes:
        if code >= len(forms):
            return -1
        form = forms[code]
        if form < LINE:
            if gap and count:
                folded[count] = gap
                count += 1
            gap = np.uint32(0)
            folded[count] = form
            count += 1
        elif form == LINE:
            gap = np.uint32(_NEWLINE)
        elif form == SPACE:
            gap = gap if gap == _NEWLINE else np.uint32(_SPACE)
        elif form == OTHER:
            return -1
    return count
