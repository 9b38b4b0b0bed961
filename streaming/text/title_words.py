"""The words of a short title: what two titles are compared on.

A title is too short to lose words of one character, which an article can do without, and
its figures tell a product from the next one. So model names come apart where letters and
digits meet, as catalogues write them either way: ``iPhone14Pro`` and ``iPhone 14 Pro`` are
the same words. Names with single letters stay whole: ``A7M4``, ``5G``.
"""

import re
from functools import cached_property
from typing import Any

from streaming.text.loading import load_segmenter, load_stop_words
from streaming.text.normalise import normalise
from streaming.text.segment import Segmenter
from streaming.text.settings import TextSettings
from streaming.text.traditional import Simplifier

MAX_WORDS = 64
"""What follows in a title is not looked at; no title of a catalogue is that long."""

# The list of stop words has none of one character, since articles leave all of those out.
_PARTICLES = frozenset("的了着和与及或是在之")
_WORD_CHARACTER = re.compile(r"[^\W_]")
_MODEL = re.compile(r"(?=[a-z]*[0-9])(?=[0-9.]*[a-z])(?:[a-z]{2,}+|[0-9]++(?:\.[0-9]++)?+)++")
_MODEL_PART = re.compile(r"[a-z]+|[0-9.]+")
_DIGIT = re.compile(r"\d")
_NUMERALS = "[〇零一二三四五六七八九十百千万亿两]+"
_NUMERAL = re.compile(f"{_NUMERALS}|第{_NUMERALS}.?")


class TitleWords:
    """Cuts titles into sets of words under fixed settings.

    Construction is cheap; dictionaries are loaded by the first title. Pickles without them.
    Not safe for use by several threads at once.
    """

    def __init__(self, settings: TextSettings) -> None:
        self._settings = settings

    def __getstate__(self) -> dict[str, Any]:
        return {"_settings": self._settings}

    def words(self, title: str) -> list[str]:
        """Give the different words of a title in lower case, sorted, at most `MAX_WORDS`.

        Traditional characters are read as simplified ones. Stop words and particles are
        left out, unless there is nothing else. Empty if the title has no letter and no digit.
        """
        found: dict[str, None] = {}
        for token in self._segmenter.cut(self._simplifier.simplify(normalise(title)).lower()):
            if _WORD_CHARACTER.search(token):
                parts = _MODEL_PART.findall(token) if _MODEL.fullmatch(token) else (token,)
                found.update(dict.fromkeys(parts))
        telling = [word for word in found if word not in self._stop_words]
        return sorted((telling or list(found))[:MAX_WORDS])

    @cached_property
    def _simplifier(self) -> Simplifier:
        return Simplifier()

    @cached_property
    def _segmenter(self) -> Segmenter:
        return load_segmenter(self._settings)

    @cached_property
    def _stop_words(self) -> frozenset[str]:
        return load_stop_words(self._settings) | _PARTICLES


def is_figure(word: str) -> bool:
    """Tell whether a word is a figure or has one: ``14``, ``a7m4``, ``三``, ``第三季``."""
    return _DIGIT.search(word) is not None or _NUMERAL.fullmatch(word) is not None
