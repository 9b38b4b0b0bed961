"""What other newsrooms do to an article before they run it.

Every edit is a pure function of a text and random numbers. It returns the edited text, or None
when the text does not allow it (too short, no figures, one paragraph); it never returns the
text unchanged.
"""

import re
from collections.abc import Sequence
from random import Random

from producers.newsroom.lexicon import substitutes
from producers.newsroom.writer import Text

SHORTEST_EDITED = 140
MINIMUM_FIGURES = 4
CUT_SHARE = 0.25
EXCERPT_SHARES = (0.2, 0.5)
_EXCERPT_LENGTH = 60

_SENTENCE = re.compile(r"[^。！？]*[。！？]+[”）]*|[^。！？]+$")
_FIGURE = re.compile(r"(\d+)([年月日时点分]?)")
_UNIT_RANGES = {"月": (1, 12), "日": (1, 28), "时": (0, 23), "点": (0, 23), "分": (10, 59)}
_YEARS = (2006, 2030)
_YEAR_DIGITS = 4
_LATIN_RUN = re.compile(r"(?<=[\u4e00-\u9fff])(?=[0-9A-Za-z])|(?<=[0-9A-Za-z])(?=[\u4e00-\u9fff])")
_NARROW = str.maketrans("，：；？！（）“”", ',:;?!()""')
_WIDE = str.maketrans({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
_CORNERED = str.maketrans("“”", "「」")
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "。": "。 ", "，": "， "})


def sentences(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph; joined, they are the paragraph."""
    return _SENTENCE.findall(paragraph)


def punctuation(text: Text, random: Random) -> Text | None:
    """Return the text with other widths, quotes or spacing; the words stay."""
    style = random.randrange(5)

    def rewrite(line: str) -> str:
        if style == 0:
            return line.translate(_NARROW)
        if style == 1:
            return line.translate(_WIDE)
        if style == 2:  # noqa: PLR2004 - the third style
            return _LATIN_RUN.sub(" ", line).translate(_CORNERED)
        if style == 3:  # noqa: PLR2004 - the fourth style
            return line.translate(_STRAIGHT)
        return line.translate(_WIDE).translate(_NARROW)

    return _if_changed(text, Text(rewrite(text.title), tuple(map(rewrite, text.paragraphs))))


def cut_lead(text: Text, random: Random) -> Text | None:
    """Return the text without its first sentences, at most ``CUT_SHARE`` of it."""
    parts = _flat(text)
    room = text.length() * CUT_SHARE
    ends: list[int] = []
    length = 0
    for number, (_, sentence) in enumerate(parts):
        length += len(sentence)
        if length > room:
            break
        ends.append(number + 1)
    return _joined(text.title, parts[random.choice(ends) :]) if ends else None


def excerpt(text: Text, random: Random) -> Text | None:
    """Return a run of whole sentences, within ``EXCERPT_SHARES`` of the text."""
    parts = _flat(text)
    low, high = (text.length() * share for share in EXCERPT_SHARES)
    start = random.randrange(len(parts))
    chosen: list[tuple[int, str]] = []
    length = 0
    for part in parts[start:]:
        if length >= low:
            break
        chosen.append(part)
        length += len(part[1])
    if not max(low, _EXCERPT_LENGTH) <= length <= high:
        return None
    return _joined(text.title, chosen)


def reordered(text: Text, random: Random) -> Text | None:
    """Return the same paragraphs in another order."""
    paragraphs = list(text.paragraphs)
    if len(paragraphs) < 3:  # noqa: PLR2004 - two paragraphs leave no choice
        return None
    random.shuffle(paragraphs)
    return _if_changed(text, Text(text.title, tuple(paragraphs)))


def replaced(text: Text, random: Random, share: float) -> Text | None:
    """Return the body with ``share`` of its words replaced by others of their kind.

    Words are counted by longest match in the dictionary, what is in none by the character; only
    the former are replaced, names and figures stay.
    """
    body = "\n".join(text.paragraphs)
    spans, count = _words(body)
    wanted = max(1, round(share * count))
    if wanted > len(spans):
        return None
    groups = substitutes()
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(random.sample(spans, wanted)):
        word = body[start:stop]
        group = groups[word]
        number = random.randrange(len(group))
        if group[number] == word:
            number = (number + 1) % len(group)
        pieces += (body[end:start], group[number])
        end = stop
    pieces.append(body[end:])
    return Text(text.title, tuple("".join(pieces).split("\n")))


def renumbered(text: Text, random: Random) -> Text | None:
    """Return the same form with every figure changed; equal figures stay equal.

    Days, months, hours and years stay possible ones. A text with fewer than
    ``MINIMUM_FIGURES`` figures has none worth changing.
    """
    changed: dict[tuple[str, str], str] = {}

    def change(match: re.Match[str]) -> str:
        figure, unit = match.groups()
        if (figure, unit) not in changed:
            changed[figure, unit] = _other_figure(figure, unit, random)
        return changed[figure, unit] + unit

    if sum(len(_FIGURE.findall(line)) for line in text.paragraphs) < MINIMUM_FIGURES:
        return None
    paragraphs = tuple(_FIGURE.sub(change, line) for line in text.paragraphs)
    return Text(_FIGURE.sub(change, text.title), paragraphs)


def byline(
    text: Text, random: Random, title: str, headers: Sequence[str], footers: Sequence[str]
) -> Text:
    """Return the whole text under ``headers`` (lines, or a prefix to the first) and footers."""
    paragraphs = text.paragraphs
    if headers and paragraphs and random.random() < 0.5:  # noqa: PLR2004 - every other
        paragraphs = (f"{headers[-1]} {paragraphs[0]}", *paragraphs[1:])
        headers = headers[:-1]
    return Text(title, (*headers, *paragraphs, *footers))


def _other_figure(figure: str, unit: str, random: Random) -> str:
    if unit == "年" and len(figure) == _YEAR_DIGITS:
        low, high = _YEARS
    else:
        low, high = _UNIT_RANGES.get(
            unit, (10 ** (len(figure) - 1) if len(figure) > 1 else 1, 10 ** len(figure) - 1)
        )
    number = random.randint(low, high)
    if number == int(figure):
        number = number + 1 if number < high else low
    return str(number)


def _words(body: str) -> tuple[list[tuple[int, int]], int]:
    """Return the spans of replaceable words, and how many words there are altogether."""
    known = substitutes()
    spans: list[tuple[int, int]] = []
    singles = position = 0
    while position < len(body):
        for length in (4, 3, 2):
            if body[position : position + length] in known:
                spans.append((position, position + length))
                position += length
                break
        else:
            singles += body[position].isalpha() and not body[position].isascii()
            position += 1
    return spans, len(spans) + singles


def _flat(text: Text) -> list[tuple[int, str]]:
    """Return the sentences of all paragraphs, each with the number of its paragraph."""
    return [
        (number, sentence)
        for number, paragraph in enumerate(text.paragraphs)
        for sentence in sentences(paragraph)
    ]


def _joined(title: str, parts: Sequence[tuple[int, str]]) -> Text:
    paragraphs: dict[int, str] = {}
    for number, sentence in parts:
        paragraphs[number] = paragraphs.get(number, "") + sentence
    return Text(title, tuple(paragraphs.values()))


def _if_changed(text: Text, edited: Text) -> Text | None:
    return None if edited == text else edited
