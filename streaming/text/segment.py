"""Segmentation: token for token what jieba gives, many times faster, and each with a number.

The route through the dictionary and jieba's word model are summed in compiled loops, in
jieba's order; see `cutting`. A number stands for one string as long as the dictionary's era
lasts, so what is known of a word can be looked up in arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streaming.text.codes import code_points
from streaming.text.user_words import UserWord

if TYPE_CHECKING:
    from streaming.text.dictionary import Dictionary

Numbers = NDArray[np.int32]

_BETWEEN = "\0"


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The tokens of a text: where each ends, int32, and its number, int32."""

    text: str
    ends: Numbers
    numbers: Numbers

    def words(self) -> list[str]:
        """Give the tokens themselves; joined, they are the text."""
        text = self.text
        return [text[begin:end] for begin, end in pairwise([0, *self.ends.tolist()])]


class Segmenter:
    """Cuts text into words with jieba's dictionary, user words, and jieba's word model.

    Construction is cheap; dictionaries are loaded by the first call. Pickles without them.
    Not safe for use by several threads at once.
    """

    def __init__(self, user_words: Sequence[UserWord] = (), *, hmm: bool = True) -> None:
        self._user_words = tuple(user_words)
        self._hmm = hmm

    def __getstate__(self) -> dict[str, Any]:
        return {"_user_words": self._user_words, "_hmm": self._hmm}

    def cut(self, text: str) -> list[str]:
        """Cut any text; equals ``list(jieba.cut(text, HMM=hmm))`` with the same dictionary.

        The tokens joined are the text. Takes lone surrogates, as jieba does.
        """
        (tokens,) = self.tokens([text])
        return tokens.words()

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Cut texts likewise; their numbers are of one era, the dictionary's as it is then."""
        return self._cutter.tokens(texts, hmm=self._hmm)

    @property
    def dictionary(self) -> "Dictionary":
        """The dictionary that numbers are of."""
        return self._cutter.dictionary

    @cached_property
    def _cutter(self) -> "_Cutter":
        return _Cutter(self._user_words)


class _Cutter:
    """What a segmenter loads: a dictionary, the word model, and room to work in."""

    def __init__(self, user_words: Sequence[UserWord]) -> None:
        # Not before it is needed: what is compiled takes a moment to load.
        from streaming.text import cutting  # noqa: PLC0415
        from streaming.text.dictionary import Dictionary  # noqa: PLC0415
        from streaming.text.viterbi import WordModel  # noqa: PLC0415

        self._cut = cutting.cut
        self.dictionary = Dictionary()
        self._model = WordModel()
        self._room = 0
        self._make_room(4096)
        for entry in user_words:
            frequency = entry.frequency
            if frequency is None:
                (tokens,) = self.tokens([entry.word], hmm=False)
                frequency = self.dictionary.suggested(entry.word, tokens.words())
            self.dictionary.add(entry.word, frequency, forced=entry.frequency == 0)

    def tokens(self, texts: Sequence[str], *, hmm: bool) -> list[Tokens]:
        """Cut texts at once, with what is a token of its own between them."""
        together = _BETWEEN.join(texts)
        self.dictionary.make_room(len(together))
        whole = self._tokens(together, hmm=hmm)
        found, begin, first = [], 0, 0
        for text in texts:
            after = first + int(np.searchsorted(whole.ends[first:], begin + len(text), "right"))
            ends = whole.ends[first:after] - np.int32(begin)
            found.append(Tokens(text, ends, whole.numbers[first:after]))
            begin, first = begin + len(text) + len(_BETWEEN), after + 1
        return found

    def _tokens(self, text: str, *, hmm: bool) -> Tokens:
        if len(text) > self._room:
            self._make_room(len(text))
        known, model = self.dictionary, self._model
        count = self._cut(
            code_points(text),
            known.trie,
            known.marks,
            known.strangers,
            known.roots,
            known.places,
            known.logs,
            known.log_total,
            known.forced,
            model.kinds,
            model.emit,
            model.step,
            int(hmm),
            self._sums,
            *self._scratch[:2],
            self._steps,
            known.state,
            *self._scratch[2:],
        )
        ends, numbers = self._scratch[2:, :count].copy()
        return Tokens(text, ends, numbers)

    def _make_room(self, characters: int) -> None:
        self._room = characters
        self._sums = np.empty(characters + 1)
        self._steps = np.empty(characters, np.uint8)
        self._scratch = np.empty((4, characters), np.int32)
