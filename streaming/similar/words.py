"""The words of an article that count, and how much each of them says about it.

Chosen on pairs of real articles whose titles were hidden: the mean reciprocal rank of the
other article of the pair is 0.867 with these weights, 0.79 with plain TF-IDF and 0.74 with
BM25; it is among the first ten in 97 % of cases.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streaming.fingerprints.shingles import hash_of
from streaming.similar.description import Hashes64, Int16s, rounded
from streaming.similar.textrank import ranks

MOST_KEYWORDS = 50
"""Keywords kept of an article, at most."""

Method = Literal["tfidf", "textrank"]
"""What says how much a word is repeated: how often it occurs, or its rank by TextRank."""

Floats = NDArray[np.float64]

_IN_TITLE = 2.0
_AT_START = 3.0
_START_WORDS = 25
_CACHED_WORDS = 400_000
_SHORTEST = 2
_WORD_CHARACTER = re.compile(r"[^\W_]")


def counted(token: str, stop_words: Collection[str]) -> str | None:
    """Give the word that a token stands for, None if it does not count.

    It counts in lower case, if it has two characters, one of them a letter or digit, and is
    no stop word.
    """
    word = token.lower()
    if len(word) < _SHORTEST or word in stop_words or not _WORD_CHARACTER.search(word):
        return None
    return word


def word_hash(word: str) -> int:
    """Give the hash of a word: 64 bits, the same in every process and for ever."""
    return hash_of(word)


def term(token: str) -> int:
    """Give the hash of a token as it comes from the segmenter, 0 if it counts nowhere."""
    word = counted(token, ())
    return 0 if word is None else word_hash(word)


def term_of(token: str, hashed: int) -> int:
    """Give the same of a token with a letter or digit whose hash in lower case is known."""
    return hashed if len(token) >= _SHORTEST or len(token.lower()) >= _SHORTEST else 0


class WordHashes(dict[str, int]):
    """Remembers the terms of some 400 000 tokens."""

    def __missing__(self, token: str) -> int:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        found = self[token] = term(token)
        return found

    def of(self, tokens: Iterable[str]) -> Hashes64:
        """Give the terms of those tokens that count, stop words included, in their order."""
        found = [self[token] for token in tokens]
        return np.array([each for each in found if each], dtype=np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class Keywords:
    """Distinct hashes in ascending order, and the positive weight of each, of length `SCALE`."""

    hashes: Hashes64
    weights: Int16s


def keywords(
    title: Hashes64, body: Hashes64, idf: Callable[[Hashes64], Floats], method: Method
) -> Keywords:
    """Give the heaviest words of an article.

    ``title`` and ``body`` are the hashes of their counted words, in order; ``idf`` gives the
    inverse document frequencies of some hashes. A word weighs

        ((1 + ln n) * (1 + 3 * exp(-p / 25)) + 2 if it is in the title) * idf ** 1.5

    where n is how often it occurs in the body and p its first place among the counted words
    of the body, from 0; without the first product if it is only in the title. Under
    TextRank, the rank of the word is in the place of (1 + ln n). Of equal weights the
    smaller hash goes first. Words that weigh nothing beside the others are left out.
    """
    # Not before it is needed: what is compiled takes a moment to load.
    from streaming.similar.tallying import tally  # noqa: PLC0415

    words, count, first, titled = tally(title, body)
    if not len(words):
        return Keywords(words, np.empty(0, np.int16))
    order = np.argsort(words)
    words, count, first, titled = words[order], count[order], first[order], titled[order]
    repeated = _growth(count)
    if method == "textrank":
        repeated[count > 0] = ranks(body)
    # Square roots and products are exact everywhere, powers are not.
    rarity = idf(words)
    weights = (repeated * _nearness(first) + _IN_TITLE * titled) * (rarity * np.sqrt(rarity))
    heaviest = np.sort(np.lexsort((words, -weights))[:MOST_KEYWORDS])
    whole = rounded(weights[heaviest])
    kept = whole > 0
    return Keywords(words[heaviest][kept], whole[kept])


def _growth(count: NDArray[np.intp]) -> Floats:
    return _LOGARITHMS[np.minimum(count, len(_LOGARITHMS) - 1)]


def _nearness(place: NDArray[np.intp]) -> Floats:
    return _DECAYS[np.minimum(place, len(_DECAYS) - 1)]


def _table(values: Sequence[float]) -> Floats:
    """Make a table of values without their last digits, which are not the same everywhere."""
    return np.array([round(value, 12) for value in values])


_LOGARITHMS = _table([0.0, *(1 + math.log(n) for n in range(1, 4096))])
_DECAYS = _table([*(1 + _AT_START * math.exp(-p / _START_WORDS) for p in range(768)), 1.0])
