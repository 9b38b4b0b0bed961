"""The dictionary of words and their frequencies: jieba's, and what users add to it.

What is made of jieba's own words is kept in leitong's cache and mapped into memory by whoever
needs it, so that the processes of a host share one copy.
"""

import hashlib
import math
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streaming import keeping
from streaming.errors import SettingsError
from streaming.text import cutting
from streaming.text.codes import code_points
from streaming.text.tables import jieba_dictionary_path

_Int64s = NDArray[np.int64]
_Words = tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.float64], _Int64s, _Int64s]
"""A trie, places by number, logarithms and frequencies by place, and the sum of those."""

_VERSION = 1
"""Goes up when the trie of the same words is another."""
_ARRAYS = ("trie", "places", "logs", "frequencies", "total")
_SLOTS = 1 << 20
_FULL = 0.75
"""The largest share of the slots of a table that may be in use."""
_STRANGERS = 200_000
"""From so many numbers of strings that are in no dictionary on, they are forgotten."""


class Dictionary:
    """A trie of words with frequencies, and numbers for all other strings as well.

    A number of a word is where its path in `trie` ends; ``places[number]`` is where its
    frequency and the logarithm of that are, 0 if it has none. `roots` has the numbers of
    single characters, `marks` a bit for each edge. `strangers` is the trie of other strings,
    whose numbers begin with ``len(places)``. `forced` is 1 for words that the word model may
    not join either.

    Not safe for use by several threads at once.
    """

    def __init__(self) -> None:
        self.trie, self.places, self.logs, self._frequencies, total = _jieba()
        self._total = int(total)
        self._look()
        self.forced = np.zeros(len(self.places), np.uint8)
        self.era = 0
        """Goes up whenever the numbers of strangers are forgotten."""
        self._forget(0)

    @property
    def log_total(self) -> float:
        """The logarithm of the sum of all frequencies."""
        return math.log(self._total)

    @property
    def numbers(self) -> int:
        """How many numbers there are; all of them are smaller."""
        return int(self.state[0])

    def make_room(self, characters: int) -> None:
        """See to it that texts of so many characters, taken together, can get numbers."""
        strangers = self.numbers - len(self.places)
        full = strangers + characters > _FULL * len(self.strangers)
        if full or strangers > _STRANGERS:
            self._forget(characters)

    def add(self, word: str, frequency: int, *, forced: bool) -> None:
        """Do what jieba's ``add_word`` does: the total keeps what the word had before.

        SettingsError if there are too many words.
        """
        base = len(self.places)
        if base + len(word) > _FULL * len(self.trie):
            self.trie = cutting.laid_out(self.trie, 2 * len(self.trie))
        if base + len(word) > cutting.MOST_NODES:
            raise SettingsError(
                "text.user_dictionaries: too many words for one dictionary; leave some out"
            )
        codes = code_points(word)
        number = cutting.add(self.trie, codes, 0, len(codes), base)
        more = max(number + 1 - base, 0)
        self.places = np.append(self.places, np.zeros(more, np.uint32))
        self.forced = np.append(self.forced, np.zeros(more, np.uint8))
        self._look()
        self.places[number] = len(self.logs) if frequency else 0
        if frequency:
            self.logs = np.append(self.logs, math.log(frequency))
            self._frequencies = np.append(self._frequencies, frequency)
        self.forced[number] |= forced
        self._total += frequency
        self._forget(0)

    def suggested(self, word: str, parts: Iterable[str]) -> int:
        """Give the frequency with which a word wins over its parts, as ``suggest_freq`` does."""
        frequency = 1.0
        for part in parts:
            frequency *= self._frequency(part) / float(self._total)
        return max(int(frequency * self._total) + 1, self._frequency(word))

    def _look(self) -> None:
        """Find what shortens the way through the trie."""
        self.roots, self.marks = cutting.first_nodes(self.trie), cutting.marks(self.trie)

    def _frequency(self, word: str) -> int:
        """Give the frequency of a word; 1 if it is not even the beginning of another."""
        codes = code_points(word)
        number = cutting.find(self.trie, self.roots, codes, 0, len(codes))
        return int(self._frequencies[self.places[number]]) if number else 1

    def _forget(self, characters: int) -> None:
        slots = _SLOTS // 2
        while characters > _FULL * slots:
            slots *= 2
        self.strangers = np.zeros((slots, 2), np.uint64)
        self.state = np.array([len(self.places)], np.int64)
        self.era += 1


def _jieba() -> _Words:
    """Map jieba's own words, from the cache; they are put there if they are not."""
    source = jieba_dictionary_path()
    made_from = hashlib.sha256(source.read_bytes()).hexdigest()
    kept = keeping.kept("dictionaries", f"{_VERSION}-{made_from[:16]}")
    if not kept.is_dir():
        words = _read(source)
        try:
            _keep(words, kept)
        except OSError:  # nobody may write there, or another process was faster
            return words
    trie, places, logs, frequencies, total = (
        np.load(kept / f"{name}.npy", mmap_mode="c") for name in _ARRAYS
    )
    return trie, places, logs, frequencies, total


def _read(source: Path) -> _Words:
    lines = [line.split(" ") for line in source.read_text(encoding="utf-8").split("\n") if line]
    codes = code_points("".join(line[0] for line in lines))
    ends = np.cumsum([len(line[0]) for line in lines])
    trie, numbers = np.zeros(_SLOTS, np.uint64), np.empty(len(lines), np.int32)
    count = cutting.add_all(trie, codes, ends, numbers)
    of_lines = np.array([int(line[1]) for line in lines])
    by_number = np.zeros(count, np.int64)
    by_number[numbers] = of_lines
    frequencies, places = np.unique(by_number, return_inverse=True)
    # By the same function as jieba's, whose last bit may not be that of numpy's.
    logs = [math.log(each) if each else cutting.NO_FREQUENCY for each in frequencies.tolist()]
    return trie, places.astype(np.uint32), np.array(logs), frequencies, np.array(of_lines.sum())


def _keep(words: _Words, directory: Path) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=directory.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        for name, values in zip(_ARRAYS, words, strict=True):
            np.save(made / f"{name}.npy", np.asarray(values))
        made.rename(directory)
