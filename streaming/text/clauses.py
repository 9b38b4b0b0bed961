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
_NUMERALS = "零〇一二三四五六七八九十百千万亿两"
_FIGURE = re.compile(rf"[0-9]+(?:\.[0-9]+)?|第[{_NUMERALS}]+|[{_NUMERALS}]+(?=[年月日号届轮名])")
# Finer than a clause: in a list or a table each figure stands with its own words.
_PHRASE = re.compile(r"(?:[^\W_]|%|(?<=[0-9])\.(?=[0-9]))+")
_SHORTEST_PHRASE = 4
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


def figured(text: str) -> list[tuple[str, str]]:
    """Give the phrases of a normalised text that hold a figure, each with its form.

    A phrase ends at every mark and space. In the form of it figures are masked, so that it
    is the same in a report of another day or another number.
    """
    phrases = [each for each in _PHRASE.findall(text.lower()) if len(each) >= _SHORTEST_PHRASE]
    forms = ((phrase, _FIGURE.sub("#", phrase)) for phrase in phrases)
    return [(phrase, form) for phrase, form in forms if form != phrase]
