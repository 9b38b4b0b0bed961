"""Shingles: the keys under which edited copies and excerpts meet.

A text of any length gets a handful of 64-bit keys of three kinds:

* *clause hashes*: the smallest of the whole text, a few more of a longer one, and the
  smallest of its first clauses. A copy with another headline, byline or order of
  paragraphs keeps nearly all of them; the smallest hashes of a set are a uniform sample of
  it that is the same in every copy (bottom-k sketch; Cohen and Kaplan, PODC 2007).
* *bands of MinHash values* of word bigrams (Broder, SEQUENCES 1997), for texts that were
  touched in every clause, and more of them for short texts, which have few clauses. A
  headline has bands of bigrams of characters: one word of ten is two of its bigrams.
* the *title*, since a story keeps it more often than not.

On 145 judged pairs of copies, edits and excerpts, found among 18 351 articles, 98.5 % share
a key (the mean over thirty choices of the hash function), with 16 keys and 2.8 candidates
per article.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

VERSION = 3
"""Goes up whenever the same words may give other keys or other evidence."""
CLAUSE_LENGTH = 10
"""Shortest clause that is a key, in ideographs; shorter ones are in too many texts."""
FEWEST_CLAUSES, MOST_CLAUSES = 8, 16
CLAUSES_PER_KEY = 12
"""A text of so many more clauses has one more of them as a key."""
BEGINNING, FIRST_CLAUSES = 4, 3
SHORT = 140
"""Texts of fewer ideographs are brief: they have more bands."""
HEADLINE = 50
"""And of these those of fewer ideographs have bands of bigrams of characters."""
BANDS, ROWS = 2, 3
SHORT_BANDS, SHORT_ROWS = 8, 2
HEADLINE_BANDS = 20
LONGER, LONGER_BANDS = 75, 12
"""Texts up to this length have some of a headline's bands, to meet those that are shorter."""
MOST_KEYS = max(
    MOST_CLAUSES + FIRST_CLAUSES + BANDS + 1,
    SHORT // CLAUSE_LENGTH + SHORT_BANDS + 1,
    LONGER // CLAUSE_LENGTH + SHORT_BANDS + LONGER_BANDS + 1,
    HEADLINE // CLAUSE_LENGTH + HEADLINE_BANDS + 1,
)

_DIGEST_BYTES = 8
_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
TITLE = np.uint64(0x7469746C65000000)
"""Keeps a title from being the key of a clause of the same words."""


def hash_of(text: str) -> int:
    """Hash a text to 64 bits; lone surrogates are spelled like other characters."""
    encoded = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=_DIGEST_BYTES).digest())


def hashes(texts: Sequence[str]) -> Hashes:
    """Hash texts to 64 bits each, as an array of shape ``(len(texts),)`` and dtype uint64."""
    return np.fromiter(map(hash_of, texts), dtype=np.uint64, count=len(texts))


def bigrams(words: Hashes) -> Hashes:
    """Hash every two words that follow each other; a single word is its own bigram."""
    if len(words) <= 1:
        return mix(words)
    return mix(words[:-1] * _ODD + (words[1:] ^ (words[1:] >> _SHIFT)))


def keys(clauses: Hashes, grams: Hashes, units: Hashes, length: int, title: Hashes) -> Hashes:
    """Give the keys of a text, uint64, in order and each once: at most `MOST_KEYS`.

    ``clauses`` are the hashes of its clauses of at least `CLAUSE_LENGTH`, in the order of the
    text, ``grams`` those of its word bigrams, ``units`` those of its bigrams of characters,
    which only headlines need, ``length`` is its length in ideographs; of ``title`` the first
    hash counts, if there is one.
    """
    # Not before it is needed: what is compiled takes a moment to load.
    from streaming.fingerprints import sketching  # noqa: PLC0415

    found: Hashes = sketching.keys(clauses, grams, units, length, title, SEEDS)
    return found


def title_keys(titles: Hashes) -> Hashes:
    """Give the keys of titles by their hashes; that of a clause is its hash."""
    return mix(titles ^ TITLE)


def mix(values: Hashes) -> Hashes:
    """Spread every bit over all 64, one to one (the finaliser of MurmurHash3)."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


SEEDS = mix(np.arange(1, 1 + HEADLINE_BANDS * SHORT_ROWS, dtype=np.uint64)) | np.uint64(1)
"""Odd multipliers, one per hash function."""
