"""What is kept of a text so that two can be compared without reading them again.

A text is the set of hashes of its word bigrams: 4 bytes each, about two bytes per character
of Chinese. Where a bigram or a phrase holds figures, the hash of its form is kept as well,
that is with every figure masked: it tells a copy from another instance of a template.

Of a brief text, a headline or a flash, a word bigram is too large a part; so its bigrams of
characters are kept too, and its words with their weights.

As bytes, little-endian: the length of the text in ideographs (32 bits), its level (8, and 8 of
nothing), and how many elements each of seven lists has (16 each); then the lists, of numbers of
32 bits.

* ``grams``: the distinct hashes of its word bigrams, sorted; of a long text those whose lowest
  ``level`` bits are zero, a sample that is the same in every copy.
* ``figures`` and ``phrases``: pairs of the hash of a bigram or phrase with figures, sorted, and
  that of its form; among the phrases of a headline are the words that contrast with others of
  their kind, each with its kind.
* ``names``: the hashes of its rare words, sorted; ``subjects``: those that it is about.
* ``units`` and ``words``, of brief texts only: the hashes of its bigrams of characters, sorted;
  pairs of the hash of a word, sorted, and its squared weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from struct import Struct
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from streaming.fingerprints.shingles import SHORT

if TYPE_CHECKING:
    from streaming.matching.measuring import Details, Overlap

HEAD = Struct("<IBx7H")
MOST_GRAMS = 4096
MOST_FORMS = 512
MOST_NAMES = 512
_REMEMBERED = 4096
"""Pairs of texts whose measures are remembered; with theirs they take some 20 MB."""
NO_TEXT = b""
"""The evidence of a text without words; it is like no other text."""


@dataclass(frozen=True, eq=False)
class Brief:
    """What is kept of a brief text besides: hashes of its bigrams of characters and words."""

    units: NDArray[np.uint64]
    words: NDArray[np.uint64]
    weights: Sequence[int]


_NO_HASHES = np.empty(0, dtype=np.uint64)
NOT_BRIEF = Brief(_NO_HASHES, _NO_HASHES, ())


def evidence(
    length: int,
    grams: NDArray[np.uint64],
    figures: NDArray[np.uint64],
    phrases: NDArray[np.uint64],
    names: tuple[NDArray[np.uint64], NDArray[np.uint64]],
    brief: Brief = NOT_BRIEF,
) -> bytes:
    """Keep what is needed of a text's 64-bit hashes; equal texts give equal bytes.

    ``figures``, of shape ``(n, 2)``, are the hashes of the bigrams with figures and of their
    forms, ``phrases`` likewise; ``names`` are those of its rare words and of its subjects,
    which are among them. What is kept of a text is bounded: 4096 bigrams, 512 of either form,
    512 names.
    """
    # Not before it is needed: what is compiled takes a moment to load.
    from streaming.matching.condensing import condensed  # noqa: PLC0415

    weights = np.asarray(brief.weights, dtype=np.int64)
    kept = condensed(length, grams, figures, phrases, *names, brief.units, brief.words, weights)
    encoded: bytes = kept.tobytes()
    return encoded


def length_of(cell: bytes) -> int:
    """Give the length of a text in ideographs, a word of letters or a figure being two."""
    return int(HEAD.unpack_from(cell)[0]) if cell else 0


# A story that everybody copies word for word is measured against the same ones again and again.
@lru_cache(maxsize=_REMEMBERED)
def _details(shorter: bytes, longer: bytes, is_whole: bool) -> "Details":  # noqa: FBT001 - a key
    # Not before it is needed: what is compiled takes a moment to load.
    from streaming.matching.measuring import Details, details  # noqa: PLC0415

    return Details._make(details(shorter, longer, is_whole))


def overlaps_of(
    cell: bytes, others: Sequence[bytes], least: float = 0.0
) -> "list[tuple[int, Overlap]]":
    """Lay one text beside several, given by their evidence, as far as most of them are alike.

    Gives the place of each other text and the overlap. Of those of which nothing can come if
    verification asks for the overlap ``least``, from 0 to 1, only the nearest are given.
    """
    if not others:
        return []
    # Not before it is needed: what is compiled takes a moment to load.
    from streaming.matching.measuring import Overlap, overlaps, promising  # noqa: PLC0415

    ends = np.fromiter(accumulate(map(len, others)), np.int64, len(others))
    measured = overlaps(cell, b"".join(others), ends)
    places = promising(measured, SHORT, least)
    rows = measured[places].tolist()
    return [(at, Overlap._make(row)) for at, row in zip(places.tolist(), rows, strict=True)]


class Pair:
    """How much of the shorter of two texts, given by their evidence, is in the longer one.

    Symmetric but for `first_is_shorter`, which says whether the first text has fewer bigrams.
    ``days_apart`` are those between the publication of the two, None if nobody knows; ``overlap``
    is what was measured of them already.
    """

    __slots__ = ("_cells", "_known", "_overlap", "days_apart")

    def __init__(
        self,
        one: bytes,
        other: bytes,
        days_apart: float | None = None,
        overlap: "Overlap | None" = None,
    ) -> None:
        self.days_apart = days_apart
        self._overlap = overlap or overlaps_of(one, [other])[0][1]
        self._cells = (one, other) if self._overlap.first_is_shorter else (other, one)
        self._known: Details | None = None

    @property
    def _details(self) -> "Details":
        if self._known is None:
            found = self._overlap
            self._known = _details(*self._cells, found.grams == found.common > 0)
        return self._known

    @property
    def first_is_shorter(self) -> bool:
        """Whether the first text is the one that is called the shorter."""
        return bool(self._overlap.first_is_shorter)

    @property
    def shorter(self) -> int:
        """Length of the text with fewer bigrams in ideographs."""
        return self._overlap.length

    @property
    def longer(self) -> int:
        """Length of the other text in ideographs."""
        return self._overlap.longer_length

    @property
    def size_ratio(self) -> float:
        """Distinct bigrams of the shorter text as a share of those of the longer one."""
        return self._overlap.grams / max(1, self._overlap.longer_grams)

    @property
    def overlap(self) -> float:
        """Share of the shorter text's bigrams that the longer one has, from 0 to 1."""
        return self._overlap.common / max(1, self._overlap.grams)

    @property
    def figured(self) -> float:
        """Share of the shorter text's bigrams that hold figures: at most this differs in them."""
        return self._overlap.figures / max(1, self._overlap.grams)

    @property
    def refigured(self) -> float:
        """Share of the shorter text's bigrams that the longer one has with other figures only."""
        return self._details.refigured / max(1, self._overlap.grams)

    @property
    def figures(self) -> float:
        """The same as a share of the bigrams that hold figures."""
        return self._details.refigured / max(1, self._overlap.figures)

    @property
    def numbered(self) -> bool:
        """Whether the longer text is the other with figures to it: another part of a series."""
        return bool(self._details.numbered)

    @property
    def phrases(self) -> int:
        """How many of the shorter text's phrases the longer one has with other figures only.

        Of two headlines also how many of its names, and of the words for a stage, a side or a
        time, the longer one lacks while it has another of the kind.
        """
        return self._details.rephrased

    @property
    def phrase_share(self) -> float:
        """The same as a share of its phrases that hold figures."""
        return self._details.rephrased / max(1, self._details.phrases)

    @property
    def strange(self) -> float:
        """Share of the subjects of a text that the other does not mention, from 0 to 1.

        The smaller of the two shares: an excerpt need not mention what else the whole text
        is about, but two texts of which each is about something else are about two things.
        """
        return min(self._unmentioned)

    @property
    def half_strange(self) -> float:
        """The larger of the two shares."""
        return max(self._unmentioned)

    @property
    def _unmentioned(self) -> tuple[float, float]:
        told = self._details
        return (
            1 - told.mentioned / told.subjects if told.subjects else 0.0,
            1 - told.longer_mentioned / told.longer_subjects if told.longer_subjects else 0.0,
        )

    @property
    def likeness(self) -> float:
        """How alike two brief texts are, from 0 to 1; 0 if one of them is not brief.

        The mean of two measures: the share of the weightier text's squared weights that the
        words of both have (the cosine of IDF weights, adjusted for length), and the Dice
        coefficient of their bigrams of characters (Dice, 1945).
        """
        told = self._details
        if not told.units or not told.longer_units:
            return 0.0
        dice = 2 * told.common_units / (told.units + told.longer_units)
        return (told.common_weight / max(1, told.heavier) + dice) / 2
