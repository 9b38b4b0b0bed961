"""What each character is to the stages that read text, one byte per code point."""

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

IDEOGRAPH = 1
"""A Chinese character: a unit of a clause by itself."""
LETTER = 2
"""Any other letter or digit: a part of a word, which is a unit."""
MARK = 4
"""Ends a clause, wherever it stands."""
NUMERAL = 8
"""A figure that is spelled out."""
COUNTED = 16
"""Behind numerals, it says that they are a figure."""
WIDE = 32
"""Between two of these a space ends a clause."""

NUMERALS = "零〇一二三四五六七八九十百千万亿两"
_LAST = 0x3FFFF
"""No letter, digit or mark that is looked for comes behind."""
_PATTERNS = {
    IDEOGRAPH: r"(?![\W_])[\u3400-\u9fff\U00020000-\U0003ffff]",
    LETTER: r"[^\W_\u3400-\u9fff\U00020000-\U0003ffff]",
    MARK: r"[\n。、!?;…—\"'“”‘’()《》【】\[\]<>「」『』|]",
    NUMERAL: f"[{NUMERALS}]",
    COUNTED: "[年月日号届轮名]",
    WIDE: r"[\u3400-\u9fff]",
}


@cache
def classes() -> NDArray[np.uint8]:
    """Give the classes of code points up to U+3FFFF; all others are in none."""
    everything = "".join(map(chr, range(_LAST + 1)))
    found = np.zeros(_LAST + 1, np.uint8)
    for bit, pattern in _PATTERNS.items():
        for match in re.finditer(f"(?:{pattern})+", everything):
            found[match.start() : match.end()] |= bit
    return found
