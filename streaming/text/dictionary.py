"""The dictionary of words and their frequencies, in rjieba, as jieba would have it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rjieba

from streaming.text.viterbi import load_jieba

_NEVER_IN_TEXT = "\0"


@dataclass(frozen=True, slots=True)
class UserWord:
    """A word that a user adds to the dictionary, as a line of jieba's format says it.

    Without a ``frequency`` it gets one that makes the word win over its parts; 0 takes the
    word out of the dictionary. ValueError for a word that is empty, or one ASCII letter or
    digit.
    """

    word: str
    frequency: int | None = None
    tag: str | None = None

    def __post_init__(self) -> None:
        if not self.word or (len(self.word) == 1 and self.word.isascii() and self.word.isalnum()):
            raise ValueError(f"{self.word!r} cannot be a word of a dictionary")


class Dictionary:
    """Finds the most probable route through a text, word by word.

    User words are added in order, as jieba's ``add_word`` adds them, but never to a
    dictionary that others share. Loading takes about a tenth of a second; jieba's own
    dictionary, which takes seven, is loaded only for user words that have no frequency, are
    in the dictionary already, or are taken out of it.
    """

    def __init__(self, user_words: Sequence[UserWord] = ()) -> None:
        # The package comes with one dictionary loaded, which nothing may be added to.
        engine: Any = rjieba.Jieba() if user_words else rjieba
        self._engine = engine
        self._reference: Any = None
        self._deleted: frozenset[str] = frozenset()
        self._deleted_pattern: re.Pattern[str] | None = None
        self.never_joined: frozenset[str] = frozenset()
        """Words that the word model may not join either."""
        known: set[str] = set()
        for entry in user_words:
            if not entry.frequency or entry.word in known or engine.has_word(entry.word):
                self._add_with_reference(user_words)
                return
            known.add(entry.word)
        for entry in user_words:
            engine.add_word(entry.word, entry.frequency, entry.tag or "")

    def route(self, text: str) -> list[str]:
        """Cut text along the route, ``jieba.cut(text, HMM=False)``.

        The text holds no lone surrogate, and no Chinese character outside U+4E00-9FD5.
        """
        if self._deleted_pattern and self._deleted_pattern.search(text):
            return list(self._reference.cut(text, HMM=False))
        tokens: list[str] = self._engine.cut(text, False)  # noqa: FBT003 - has no keywords
        return tokens

    def has(self, word: str) -> bool:
        """Tell whether a word is in the dictionary."""
        return bool(self._engine.has_word(word)) and word not in self._deleted

    def _add_with_reference(self, user_words: Sequence[UserWord]) -> None:
        reference = load_jieba().Tokenizer()
        # Not by its own way of loading: that writes a cache file which processes share.
        reference.FREQ, reference.total = reference.gen_pfdict(reference.get_dict_file())
        reference.initialized = True
        frequencies: dict[str, int] = {}
        replaced = 0
        for entry in user_words:
            word, frequency = entry.word, entry.frequency
            if frequency is None:
                frequency = int(reference.suggest_freq(word))
            if frequency:
                replaced += reference.FREQ.get(word, 0)
                self._engine.add_word(word, frequency, entry.tag or "")
            _add_to_reference(reference, word, frequency)
            frequencies[word] = frequency
        if replaced:
            # jieba's total keeps the frequencies that were replaced; rjieba's does not.
            self._engine.add_word(_NEVER_IN_TEXT, replaced, "")
        self.never_joined = frozenset(entry.word for entry in user_words if entry.frequency == 0)
        self._deleted = frozenset(word for word, number in frequencies.items() if not number)
        if self._deleted:
            # rjieba cannot take a word out, so texts with such a word go to jieba.
            self._reference = reference
            self._deleted_pattern = re.compile("|".join(map(re.escape, sorted(self._deleted))))


def _add_to_reference(tokenizer: Any, word: str, frequency: int) -> None:
    """Do what ``add_word`` does, but for its list of words that all tokenizers share."""
    tokenizer.FREQ[word] = frequency
    tokenizer.total += frequency
    for end in range(1, len(word)):
        tokenizer.FREQ.setdefault(word[:end], 0)
