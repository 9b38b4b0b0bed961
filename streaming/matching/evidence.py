"""What is kept of a text so that two can be compared without reading them again.

A text is the set of hashes of its word bigrams: 4 bytes each, about two bytes per character
of Chinese. Where a bigram or a clause holds figures, the hash of its form is kept as well,
that is with every figure masked: it tells a copy from another instance of a template.
"""

from dataclasses import dataclass
from functools import cached_property
from struct import Struct

import numpy as np
from numpy.typing import NDArray

Hashes32 = NDArray[np.uint32]

_HEAD = Struct(">IBHHH")
_MOST_GRAMS = 4096
_MOST_FORMS = 512
_KEPT = np.dtype(">u4")


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence of one text.

    ``length`` is in ideographs, a word of letters or a figure being two. ``grams`` are the
    distinct hashes of its word bigrams, uint32 and sorted, of a long text those whose lowest
    ``level`` bits are zero: a sample that is the same in every copy. ``figures`` and
    ``clauses`` have shape ``(n, 2)``: the hash of a bigram or clause with figures, sorted,
    and that of its form.
    """

    length: int
    level: int
    grams: Hashes32
    figures: Hashes32
    clauses: Hashes32

    def encode(self) -> bytes:
        """Encode as bytes; equal evidence gives equal bytes."""
        return b"".join(
            (
                _HEAD.pack(
                    self.length,
                    self.level,
                    len(self.grams),
                    len(self.figures),
                    len(self.clauses),
                ),
                self.grams.astype(_KEPT).tobytes(),
                self.figures.astype(_KEPT).tobytes(),
                self.clauses.astype(_KEPT).tobytes(),
            )
        )

    @classmethod
    def decode(cls, cell: bytes) -> "Evidence":
        """Read `encode`'s bytes."""
        length, level, grams, figures, _ = _HEAD.unpack_from(cell)
        values = np.frombuffer(cell, dtype=_KEPT, offset=_HEAD.size).astype(np.uint32)
        forms = values[grams:].reshape(-1, 2)
        return cls(length, level, values[:grams], forms[:figures], forms[figures:])


_NOTHING = np.empty(0, dtype=np.uint32)
NO_TEXT = Evidence(0, 0, _NOTHING, _NOTHING.reshape(0, 2), _NOTHING.reshape(0, 2))
"""The evidence of a text without words; it is like no other text."""


def evidence(
    length: int,
    grams: NDArray[np.uint64],
    figures: tuple[NDArray[np.uint64], NDArray[np.uint64]],
    clauses: tuple[NDArray[np.uint64], NDArray[np.uint64]],
) -> Evidence:
    """Keep what is needed of a text's 64-bit hashes.

    ``figures`` are the hashes of the bigrams with figures and of their forms, ``clauses``
    likewise. What is kept of a text is bounded: 4096 bigrams, 512 of either form.
    """
    kept = np.unique(_narrow(grams))
    level = 0
    while len(kept) > _MOST_GRAMS:
        level += 1
        kept = sampled(kept, level)
    return Evidence(length, level, kept, _forms(*figures), _forms(*clauses))


def sampled(hashes: Hashes32, level: int) -> Hashes32:
    """Keep one hash in 2 ** ``level``, the same ones of every text."""
    return hashes[_is_sampled(hashes, level)] if level else hashes


def _is_sampled(hashes: Hashes32, level: int) -> NDArray[np.bool_]:
    chosen: NDArray[np.bool_] = hashes & np.uint32((1 << level) - 1) == 0
    return chosen


def _forms(hashes: NDArray[np.uint64], forms: NDArray[np.uint64]) -> Hashes32:
    values, places = np.unique(_narrow(hashes), return_index=True)
    return np.stack((values, _narrow(forms)[places]), axis=1)[:_MOST_FORMS]


def _narrow(hashes: NDArray[np.uint64]) -> Hashes32:
    return (hashes >> np.uint64(32)).astype(np.uint32)


class Pair:
    """How much of the shorter of two texts is in the longer one.

    Symmetric. Everything but the lengths is found when it is asked for first.
    """

    def __init__(self, one: Evidence, other: Evidence) -> None:
        self._level = max(one.level, other.level)
        mine, theirs = sampled(one.grams, self._level), sampled(other.grams, self._level)
        # Of two equally long texts that with fewer bigrams is the shorter.
        if (one.length, len(mine)) <= (other.length, len(theirs)):
            self._shorter, self._longer = one, other
            self._grams, self._known = mine, theirs
        else:
            self._shorter, self._longer = other, one
            self._grams, self._known = theirs, mine

    @property
    def shorter(self) -> int:
        """Length of the shorter text in ideographs."""
        return self._shorter.length

    @property
    def longer(self) -> int:
        """Length of the longer text in ideographs."""
        return self._longer.length

    @cached_property
    def overlap(self) -> float:
        """Share of the shorter text's bigrams that the longer one has, from 0 to 1."""
        return int(_among(self._grams, self._known).sum()) / max(1, len(self._grams))

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

    @cached_property
    def clauses(self) -> int:
        """How many of the shorter text's clauses the longer one has with other figures only."""
        theirs = self._longer.clauses
        return _refigured(self._shorter.clauses, theirs[:, 0], theirs)

    @property
    def clause_share(self) -> float:
        """The same as a share of its clauses that hold figures."""
        return self.clauses / max(1, len(self._shorter.clauses))

    @cached_property
    def _figures(self) -> Hashes32:
        figures = self._shorter.figures
        return figures[_is_sampled(figures[:, 0], self._level)] if self._level else figures

    @cached_property
    def _other_figures(self) -> int:
        return _refigured(self._figures, self._known, self._longer.figures)


def _refigured(mine: Hashes32, known: Hashes32, theirs: Hashes32) -> int:
    """Count what is not ``known`` as it is, but among ``theirs`` by its form."""
    elsewhere = mine[~_among(mine[:, 0], known), 1]
    if not len(elsewhere) or not len(theirs):
        return 0
    return int(_among(elsewhere, np.sort(theirs[:, 1])).sum())


def _among(wanted: Hashes32, known: Hashes32) -> NDArray[np.bool_]:
    """Say which of ``wanted`` are among ``known``, which is sorted."""
    if not len(known):
        return np.zeros(len(wanted), dtype=bool)
    places = np.searchsorted(known, wanted)
    places[places == len(known)] = 0
    found: NDArray[np.bool_] = known[places] == wanted
    return found
