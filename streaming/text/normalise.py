"""From HTML or plain text to the plain text that is compared and stored.

Text that holds neither a tag nor an entity never reaches the HTML parser. What stands in
angle brackets counts as a tag only if HTML has an element of that name and the rest looks
like attributes: ``List<String>``, ``3<5``, ``<b and c>`` and ``<流浪地球>`` are text. Tags become
line breaks or nothing *before* the parser sees them, so that the parser reads entities,
comments, scripts and styles as browsers do, but has no tree to build that could be deep.
"""

import re
import unicodedata
from functools import lru_cache

import numpy as np
from selectolax.lexbor import LexborHTMLParser

from streaming.text.codes import code_points

VERSION = 1
"""Goes up whenever the same input may give another text."""

_ROUNDS = 8
_MAX_MARKS = 30
_MAX_CUT_OFF = 500


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LINE_ELEMENTS = _names(
    "address article aside blockquote body br caption center col colgroup dd details dialog dir"
    " div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head"
    " header hgroup hr html legend li link listing main menu meta nav ol optgroup option p"
    " plaintext pre search section select summary table tbody td tfoot th thead tr ul"
)
_INLINE_ELEMENTS = _names(
    "a abbr acronym applet area audio b base basefont bdi bdo bgsound big blink button canvas"
    " cite code data datalist del dfn em embed font i image img input ins kbd keygen label map"
    " mark marquee math meter nobr noscript object output param picture progress q rb rp rt rtc"
    " ruby s samp slot small source span strike strong sub sup svg template time track tt u"
    " var video wbr"
)
_TEXTLESS_ELEMENTS = _names("iframe noembed noframes script style textarea title xmp")
_OFFICE_ELEMENT = re.compile(r"(?:o|w|v|m|x|st1|u1):[a-z]+", re.IGNORECASE)
_BOOLEAN_ATTRIBUTES = _names(
    "allowfullscreen async autoplay checked compact controls defer disabled hidden ismap loop"
    " multiple muted noshade nowrap open readonly required selected"
)
# A tag ends at ">", or before the next "<": one forgotten quote must not swallow an article.
_TAG = re.compile(
    r"<(/?)([A-Za-z][^\s/<>]{0,31})(?![^\s/<>])"
    r"((?:[^<>\"']|\"[^\"<\n]{0,300}\"(?=[\s/>])|'[^'<\n]{0,300}'(?=[\s/>])|[\"'])*+)(>?)"
)
_CHARACTER_DATA = re.compile(r"<!\[CDATA\[|\]\]>")
_DECLARATION = re.compile(r"<(?:!doctype\b|\?(?:xml|php)\b)[^<>]*>", re.IGNORECASE)
# Only the entities that are common in broken markup are read without their semicolon:
# "&copy=1" in an address and "AT&T" are text.
_ENTITY = re.compile(
    r"&(?:(?:nbsp|lt|gt|quot|amp)|[A-Za-z][A-Za-z0-9]{1,31};|#[0-9]|#[xX][0-9a-fA-F])"
)
_NO_ENTITY = re.compile(f"&(?!{_ENTITY.pattern[1:]})")
_ESCAPED_AMPERSANDS = re.compile(r"&(?:amp;?|AMP;|#0{0,5}38;|#[xX]0{0,5}26;)+")

# Controls, the soft hyphen, zero-width and bidirectional marks, fillers, variation
# selectors, byte order marks, interlinear marks, tags; and surrogates, which stand for
# nothing when alone and have no UTF-8.
_INVISIBLE_CLASS = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_INVISIBLE_CLASS}]+")
# Folding the common compatibility forms in small cached pieces first lets a long text pass as
# normalised already, which is some 100 times faster to find out than to do.
_FOLDABLE = re.compile(
    f"[{_INVISIBLE_CLASS}\u00a0\u2026\u2100-\u2188\u2460-\u24ff\u3000\u3200-\u33ff\uff01-\uffee]{{1,4}}"
)
_MAYBE_MARK = re.compile(
    "[^\x00-\u02ff\u0370-\u0482\u1e00-\u1fff\u2000-\u20cf\u2100-\u2cee\u3000-\u3029"
    "\u3030-\u3098\u309b-\ua66e\uac00-\ud7ff\ue000-\ufb1d\uff00-\uffff"
    "\U0001f000-\U000dffff]"
)


def normalise(text: str) -> str:
    """Give the plain text of HTML or of plain text.

    Entities are decoded (``&nbsp`` without its semicolon too, and what was escaped twice);
    elements that begin a line become one newline; other tags, comments, scripts and styles
    nothing; compatibility forms such as full and half width are unified (NFKC); invisible
    characters and lone surrogates are removed; a run of white space becomes one space, or
    one newline if it holds a line break, and none is left at the ends.

    Idempotent. Never raises on a ``str``, and the result always has a UTF-8. The time is in
    proportion to the length, whatever the text. Does not guess encodings or mend mojibake.
    """
    text = _plain(text)
    for _ in range(_ROUNDS):
        if "&" not in text and "<" not in text:
            return text
        decoded = _plain(_without_markup(text))
        if decoded == text:
            return text
        text = decoded
    # What is still not done was nested on purpose.
    return _plain(text.replace("&", " ").replace("<", " "))


def _plain(text: str) -> str:
    """Unify characters and white space; idempotent."""
    # Not before it is needed: what is compiled takes a moment to load.
    from streaming.text import folding  # noqa: PLC0415

    codes = code_points(text)
    folded = np.empty(len(codes), np.uint32)
    length = folding.fold(codes, folding.forms(_INVISIBLE, _MAYBE_MARK), folded)
    if length < 0:
        return _plain_of_any(text)
    return folded[:length].tobytes().decode("utf-32-le")


def _plain_of_any(text: str) -> str:
    """Unify what need not be ordinary; what `_plain` means."""
    text = _limit_marks(_FOLDABLE.sub(_fold_match, text))
    text = _limit_marks(unicodedata.normalize("NFKC", text))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(filter(None, lines))


def _fold_match(match: re.Match[str]) -> str:
    return _fold(match.group())


@lru_cache(maxsize=4096)
def _fold(characters: str) -> str:
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", characters))


def _limit_marks(text: str) -> str:
    """Cut runs of combining marks, as Unicode's stream-safe text format does.

    Ordering the marks of one character takes time that is quadratic in their number.
    """
    # A longer run cannot hide between samples.
    if not _MAYBE_MARK.search(text[:: _MAX_MARKS + 1]):
        return text
    kept, run = [], 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def _without_markup(text: str) -> str:
    """Remove one layer of markup; text without any is returned as it is."""
    text = _ESCAPED_AMPERSANDS.sub("&", text)
    text = _CHARACTER_DATA.sub("", text)
    text = _DECLARATION.sub("", text)
    marked = _Tags(text).marked()
    if marked is text and not _ENTITY.search(text):
        return text
    parser = LexborHTMLParser(_NO_ENTITY.sub("&amp;", marked))
    parser.strip_tags(sorted(_TEXTLESS_ELEMENTS))
    return parser.body.text(separator="") if parser.body else ""


class _Tags:
    """Decides what is a tag, and rewrites text so that the parser decides likewise."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lowered = ""
        self._last_end: dict[str, int] = {}

    def marked(self) -> str:
        """Replace tags by what they stand for and escape every other ``<``.

        Left in place are comments and elements without text, if they are closed.
        """
        pieces, position, found = [], 0, False
        while (at := self._text.find("<", position)) >= 0:
            pieces.append(self._text[position:at])
            tag = _TAG.match(self._text, at)
            mark = self._mark(tag) if tag else None
            if tag and mark is not None:
                pieces.append(mark)
                position = tag.end()
                found = True
            elif self._is_comment(at):
                pieces.append("<")
                position = at + 1
                found = True
            else:
                pieces.append("&lt;")
                position = at + 1
        if not found:
            return self._text
        pieces.append(self._text[position:])
        return "".join(pieces)

    def _mark(self, tag: re.Match[str]) -> str | None:
        slash, name, attributes, end = tag.groups()
        name = name.lower()
        if slash:
            is_tag = bool(end) and not attributes.strip()
        elif end:
            is_tag = _are_attributes(attributes)
        else:
            is_tag = "=" in attributes[:_MAX_CUT_OFF] and len(attributes) < _MAX_CUT_OFF
        if not is_tag:
            return None
        if name in _LINE_ELEMENTS:
            return "\n"
        if name in _INLINE_ELEMENTS or _OFFICE_ELEMENT.fullmatch(name):
            return ""
        if name not in _TEXTLESS_ELEMENTS:
            return None
        if slash:
            return f"</{name}>"
        return f"<{name}>" if self._closes(name, tag.end()) else ""

    def _closes(self, name: str, position: int) -> bool:
        if name not in self._last_end:
            self._lowered = self._lowered or self._text.lower()
            self._last_end[name] = self._lowered.rfind(f"</{name}")
        return self._last_end[name] >= position

    def _is_comment(self, at: int) -> bool:
        if not self._text.startswith("<!--", at):
            return False
        if "-->" not in self._last_end:
            self._last_end["-->"] = self._text.rfind("-->")
        return self._last_end["-->"] > at


def _are_attributes(text: str) -> bool:
    """Tell the attributes of a tag from prose that happens to stand in angle brackets."""
    before, equals, _ = text.partition("=")
    words = before.strip(" \n\t/")
    if equals:
        return words[-1:].isalnum()
    return not words or words.lower() in _BOOLEAN_ATTRIBUTES
