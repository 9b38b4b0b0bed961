"""What is kept of a text so that two can be compared without reading them again.

A text is the set of hashes of its word bigrams: 4 bytes each, about two bytes per character
of Chinese. Where a bigram or a phrase holds figures, the hash of its form is kept as well,
that is with every figure masked: it tells a copy from another instance of a template.

Of a brief text, a headline or a flash, a word bigram is too large a part; so its bigrams of
characters are kept too, and its words with their weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from struct import Struct

import numpy as np
from numpy.typing import NDArray

Hashes32 = NDArray[np.uint32]

_HEAD = Struct(">IB7H")
_MOST_GRAMS = 4096
_MOST_FORMS = 512
_MOST_NAMES = 512
_KEPT = np.dtype(">u4")
_HALF = np.uint64(32)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence of one text.

    ``length`` is in ideographs, a word of letters or a figure being two. ``grams`` are the
    distinct hashes of its word bigrams, uint32 and sorted, of a long text those whose lowest
    ``level`` bits are zero: a sample that is the same in every copy. ``figures`` and
    ``phrases`` have shape ``(n, 2)``: the hash of a bigram or phrase with figures, sorted,
    and that of its form; among the phrases of a headline are the words that contrast with
    others of their kind, each with its kind. ``names`` are the hashes of its rare words,
    sorted, ``subjects`` those of them that it is about.

    The rest is empty but for brief texts: ``units`` are the hashes of their bigrams of
    characters, sorted, ``words`` of shape ``(n, 2)`` the hash of a word, sorted, and its
    squared weight.
    """

    length: int
    level: int
    grams: Hashes32
    figures: Hashes32
    phrases: Hashes32
    names: Hashes32
    subjects: Hashes32
    units: Hashes32
    words: Hashes32

    def encode(self) -> bytes:
        """Encode as bytes; equal evidence gives equal bytes."""
        return b"".join(
            (
                _HEAD.pack(
                    self.length,
                    self.level,
                    len(self.grams),
                    len(self.figures),
                    len(self.phrases),
                    len(self.names),
                    len(self.subjects),
                    len(self.units),
                    len(self.words),
                ),
                self.grams.astype(_KEPT).tobytes(),
                self.figures.astype(_KEPT).tobytes(),
                self.phrases.astype(_KEPT).tobytes(),
                self.names.astype(_KEPT).tobytes(),
                self.subjects.astype(_KEPT).tobytes(),
                self.units.astype(_KEPT).tobytes(),
                self.words.astype(_KEPT).tobytes(),
            )
        )

    @classmethod
    def decode(cls, cell: bytes) -> "Evidence":
        """Read `encode`'s bytes."""
        length, level, grams, figures, phrases, names, subjects, units, words = _HEAD.unpack_from(
            cell
        )
        values = np.frombuffer(cell, dtype=_KEPT, offset=_HEAD.size).astype(np.uint32)
        sizes = (grams, 2 * figures, 2 * phrases, names, subjects, units)
        a, b, c, d, e, f = accumulate(sizes)
        return cls(
            length,
            level,
            values[:a],
            values[a:b].reshape(-1, 2),
            values[b:c].reshape(-1, 2),
            values[c:d],
            values[d:e],
            values[e:f],
            values[f : f + 2 * words].reshape(-1, 2),
        )


_NOTHING = np.empty(0, dtype=np.uint32)
_NO_PAIRS = _NOTHING.reshape(0, 2)
NO_TEXT = Evidence(0, 0, _NOTHING, _NO_PAIRS, _NO_PAIRS, _NOTHING, _NOTHING, _NOTHING, _NO_PAIRS)
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
) -> Evidence:
    """Keep what is needed of a text's 64-bit hashes.

    ``figures``, of shape ``(n, 2)``, are the hashes of the bigrams with figures and of their
    forms, ``phrases`` likewise; ``names`` are those of its rare words and of its subjects,
    which are among them. What is kept of a text is bounded: 4096 bigrams, 512 of either form,
    512 names.
    """
    kept = _distinct(_narrow(grams))
    level = 0
    while len(kept) > _MOST_GRAMS:
        level += 1
        kept = sampled(kept, level)
    units, weighed = _NOTHING, _NO_PAIRS
    if brief is not NOT_BRIEF:
        units = _distinct(_narrow(brief.units))
        words, places = np.unique(_narrow(brief.words), return_index=True)
        squares = np.asarray(brief.weights, dtype=np.uint32)[places] ** 2
        weighed = np.stack((words, squares), axis=1)
    return Evidence(
        length,
        level,
        kept,
        _forms(figures),
        _forms(phrases),
        _distinct(_narrow(names[0]))[:_MOST_NAMES],
        _distinct(_narrow(names[1]))[:_MOST_NAMES],
        units,
        weighed,
    )


def sampled(hashes: Hashes32, level: int) -> Hashes32:
    """Keep one hash in 2 ** ``level``, the same ones of every text."""
    return hashes[_is_sampled(hashes, level)] if level else hashes


def _is_sampled(hashes: Hashes32, level: int) -> NDArray[np.bool_]:
    chosen: NDArray[np.bool_] = hashes & np.uint32((1 << level) - 1) == 0
    return chosen


def _distinct(hashes: Hashes32) -> Hashes32:
    """Give each value once, in order; `numpy.unique`, which takes its time with few of them."""
    values = np.sort(hashes)
    return values[_firsts(values)]


def _firsts(values: Hashes32) -> NDArray[np.bool_]:
    """Mark the first of equal values that follow each other."""
    first = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return first


def _forms(pairs: NDArray[np.uint64]) -> Hashes32:
    both = np.sort((pairs[:, 0] >> _HALF << _HALF) | (pairs[:, 1] >> _HALF))
    hashes = _narrow(both)
    first = _firsts(hashes)
    return np.stack((hashes[first], both[first].astype(np.uint32)), axis=1)[:_MOST_FORMS]


def _narrow(hashes: NDArray[np.uint64]) -> Hashes32:
    return (hashes >> _HALF).astype(np.uint32)


class Pair:
    """How much of the shorter of two texts is in the longer one.

    Symmetric but for `first_is_shorter`. ``days`` are those between the publication of the
    two, None if nobody knows. Everything but the lengths is found when it is asked for first.
    """

    def __init__(self, one: Evidence, other: Evidence, days: float | None = None) -> None:
        self.days_apart = days
        self._level = max(one.level, other.level)
        mine, theirs = sampled(one.grams, self._level), sampled(other.grams, self._level)
        # By what they say, not by how often: the pages of a gallery repeat the report's lead.
        self.first_is_shorter = (len(mine), one.length) <= (len(theirs), other.length)
        if self.first_is_shorter:
            self._shorter, self._longer = one, other
            self._grams, self._known = mine, theirs
        else:
            self._shorter, self._longer = other, one
            self._grams, self._known = theirs, mine

    @property
    def shorter(self) -> int:
        """Length of the text with fewer bigrams in ideographs."""
        return self._shorter.length

    @property
    def longer(self) -> int:
        """Length of the other text in ideographs."""
        return self._longer.length

    @property
    def size_ratio(self) -> float:
        """Distinct bigrams of the shorter text as a share of those of the longer one."""
        return len(self._grams) / max(1, len(self._known))

    @cached_property
    def overlap(self) -> float:
        """Share of the shorter text's bigrams that the longer one has, from 0 to 1."""
        # Not before it is needed: what is compiled takes a moment to load.
        from streaming.matching.merging import common  # noqa: PLC0415

        return int(common(self._grams, self._known)) / max(1, len(self._grams))

    @cached_property
    def figured(self) -> float:
        """Share of the shorter text's bigrams that hold figures: at most this differs in them."""
        return len(self._figures) / max(1, len(self._grams))

    @cached_property
    def refigured(self) -> float:
        """Share of the shorter text's bigrams that the longer one has with other figures only."""
        return self._other_figures / max(1, len(self._grams))

    @property
    def figures(self) -> float:
        """The same as a share of the bigrams that hold figures."""
        return self._other_figures / max(1, len(self._figures))

    @property
    def numbered(self) -> bool:
        """Whether the longer text is the other with figures to it: another part of a series."""
        more = self._known[~_among(self._known, self._grams)]
        figures = self._longer.figures[:, 0]
        return self.overlap == 1 and len(more) > 0 and bool(_among(more, figures).all())

    @cached_property
    def phrases(self) -> int:
        """How many of the shorter text's phrases the longer one has with other figures only.

        Of two headlines also how many of its names, and of the words for a stage, a side or a
        time, the longer one lacks while it has another of the kind.
        """
        return _refigured(self._shorter.phrases, self._longer.phrases)

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

    @cached_property
    def _unmentioned(self) -> tuple[float, float]:
        one, other = self._shorter, self._longer
        return _missing(one.subjects, other.names), _missing(other.subjects, one.names)

    @cached_property
    def likeness(self) -> float:
        """How alike two brief texts are, from 0 to 1; 0 if one of them is not brief.

        The mean of two measures: the share of the weightier text's squared weights that the
        words of both have (the cosine of IDF weights, adjusted for length), and the Dice
        coefficient of their bigrams of characters (Dice, 1945).
        """
        one, other = self._shorter, self._longer
        if not len(one.units) or not len(other.units):
            return 0.0
        common = one.words[_among(one.words[:, 0], other.words[:, 0]), 1]
        heavier = max(int(one.words[:, 1].sum()), int(other.words[:, 1].sum()), 1)
        both = int(_among(one.units, other.units).sum())
        dice = 2 * both / (len(one.units) + len(other.units))
        return (int(common.sum()) / heavier + dice) / 2

    @property
    def phrase_share(self) -> float:
        """The same as a share of its phrases that hold figures."""
        return self.phrases / max(1, len(self._shorter.phrases))

    @cached_property
    def _figures(self) -> Hashes32:
        return self._sampled_figures(self._shorter)

    @cached_property
    def _other_figures(self) -> int:
        return _refigured(self._figures, self._sampled_figures(self._longer))

    def _sampled_figures(self, text: Evidence) -> Hashes32:
        figures = text.figures
        return figures[_is_sampled(figures[:, 0], self._level)] if self._level else figures


def _refigured(mine: Hashes32, theirs: Hashes32) -> int:
    """Count those of ``mine`` that differ from one of ``theirs`` in figures only.

    What both have is left out, and each is the counterpart of one other at most: a text with
    many figures in the same words differs from its copy in none of them.
    """
    forms, counts = _counted(mine[~_among(mine[:, 0], theirs[:, 0]), 1])
    their_forms, their_counts = _counted(theirs[~_among(theirs[:, 0], mine[:, 0]), 1])
    common, ours, others = np.intersect1d(
        forms, their_forms, assume_unique=True, return_indices=True
    )
    return int(np.minimum(counts[ours], their_counts[others]).sum()) if len(common) else 0


def _missing(subjects: Hashes32, names: Hashes32) -> float:
    if len(names) == _MOST_NAMES:
        # The list of names was cut; what comes after its end may have been on it.
        subjects = subjects[subjects <= names[-1]]
    return 1 - int(_among(subjects, names).sum()) / len(subjects) if len(subjects) else 0.0


def _counted(forms: Hashes32) -> tuple[Hashes32, NDArray[np.int64]]:
    return np.unique(forms, return_counts=True)


def _among(wanted: Hashes32, known: Hashes32) -> NDArray[np.bool_]:
    """Say which of ``wanted`` are among ``known``, which is sorted."""
    if not len(known):
        return np.zeros(len(wanted), dtype=bool)
    places = np.searchsorted(known, wanted)
    places[places == len(known)] = 0
    found: NDArray[np.bool_] = known[places] == wanted
    return found
