"""Words and their forms: a word with its figures masked is the same in a report of another day."""

import re

from streaming.fingerprints.shingles import hash_of
from streaming.text.characters import NUMERALS

_WORD = re.compile(r"[^\W_]")
_FIGURE = re.compile(f"[0-9{NUMERALS}]+")
_HAS_DIGIT = re.compile(r"[0-9]")
_HAS_FIGURE = re.compile(f"[0-9{NUMERALS}]")
# What stands beside a figure that is spelled out, in the same word or clause.
_SPELLED = re.compile(f"第?[{NUMERALS}]+[年月日号届轮次名点时分秒岁元人个家]?")


def word_and_form(token: str) -> tuple[int, int] | None:
    """Give the hashes of a token in lower case and of its form; None if it is no word."""
    # Most tokens are nothing but letters and digits: that is found out faster.
    if not (token.isalnum() or _WORD.search(token)):
        return None
    word = token.lower()
    own = hash_of(word)
    if not _HAS_FIGURE.search(word):
        return own, own
    if _HAS_DIGIT.search(word) or _SPELLED.fullmatch(word):
        return own, hash_of(_FIGURE.sub("#", word))
    return own, own
