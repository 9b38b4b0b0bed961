"""Clauses: the stretches of text between two marks of punctuation.

Clauses are what survives when a text is cut, framed or moved about: an excerpt keeps most of
its clauses whole, whatever stood around them.
"""

import re

# A point or comma between figures belongs to them; a space divides Chinese, not English.
_BREAK = re.compile(
    r"(?<![0-9])[,.:]|[,.:](?![0-9])"
    r"|[\n。、!?;…—\"'“”‘’()《》【】\[\]<>「」『』|]"
    r"|(?<=[\u3400-\u9fff]) +(?=[\u3400-\u9fff])"
)
_UNIT = re.compile(
    r"(?![\W_])[\u3400-\u9fff\U00020000-\U0003ffff]|[^\W_\u3400-\u9fff\U00020000-\U0003ffff]+"
)
_LETTER = re.compile(r"[^\W_\u3400-\u9fff\U00020000-\U0003ffff]")
_WORD_UNITS = 2
"""What a word of letters or a figure counts, in ideographs."""


def clauses(text: str) -> list[tuple[str, int]]:
    """Give the clauses of a normalised text in their order, each with its length.

    A clause is its letters and digits in lower case, words of letters parted by a space; its
    length is counted in ideographs, a word of letters or a figure being two of them. Clauses
    without a letter or digit are left out.
    """
    found = []
    for piece in _BREAK.split(text.lower()):
        units = _UNIT.findall(piece)
        if units:
            length = len(units)
            if _LETTER.search(piece):
                length = sum(_WORD_UNITS if _LETTER.match(unit) else 1 for unit in units)
            found.append((" ".join(units), length))
    return found
