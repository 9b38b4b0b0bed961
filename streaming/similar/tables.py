"""The tables of one model, and the description that they give of an article.

On disk every table is an array in NumPy's own format, so that it can be mapped into memory:
all processes of a host share one copy. Words are their hashes in ascending order, found by
bisection.

===============  ==========================  =====================================
file             array                       what it is
===============  ==========================  =====================================
words.npy        uint64 [words]              hashes of the words that have vectors
vectors.npy      float32 [words, dimensions] their vectors
idf_words.npy    uint64 [known]              hashes of the words that were counted
idf.npy          float32 [known]             their inverse document frequencies
mean.npy         float32 [dimensions]        mean of the articles' unit vectors
cells.npy        int16 [cells, dimensions]   centres of the cells, of length `SCALE`
===============  ==========================  =====================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streaming.errors import ModelsError
from streaming.similar.description import SCALE, Description, Hashes64, Int16s, rounded
from streaming.similar.words import Floats, Keywords, Method, keywords

Float32s = NDArray[np.float32]

_SHAPES = {
    "words": ("<u8", 1),
    "vectors": ("<f4", 2),
    "idf_words": ("<u8", 1),
    "idf": ("<f4", 1),
    "mean": ("<f4", 1),
    "cells": ("<i2", 2),
}
_CURE = "the files were damaged or mixed up: publish the version again, or activate another"


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Tables as this module's table has them; whether in memory or mapped is all the same.

    ``unknown`` is the inverse document frequency of a word that was never counted, and
    ``probes`` the number of cells in which articles like one are looked for.
    """

    words: Hashes64
    vectors: Float32s
    idf_words: Hashes64
    idf: Float32s
    mean: Float32s
    cells: Int16s
    unknown: float
    probes: int = 1

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        return int(self.vectors.shape[1])

    def describe(self, title: Hashes64, body: Hashes64, method: Method = "tfidf") -> Description:
        """Describe an article; ``title`` and ``body`` are hashes of their counted words, in order.

        The same on every machine, but for sums of vectors that lie within 1e-12 of the
        middle between two whole numbers.
        """
        kept = keywords(title, body, self.rarity, method)
        exact = self.unit(kept)
        if exact is None:
            vector = np.zeros(self.dimensions, np.int16)
        else:
            vector = rounded(exact - self.mean.astype(np.float64))
        return Description(vector, kept.hashes, kept.weights, self.nearest(vector))

    def rarity(self, hashes: Hashes64) -> Floats:
        """Give the inverse document frequencies of some words."""
        places, known = _find(self.idf_words, hashes)
        found = np.full(len(hashes), self.unknown)
        found[known] = self.idf[places[known]]
        return found

    def unit(self, kept: Keywords) -> Floats | None:
        """Give the direction of an article before the mean is taken off; None if it has none."""
        places, known = _find(self.words, kept.hashes)
        # One row after the other: a matrix product may add in another order elsewhere.
        rows = self.vectors[places[known]].astype(np.float64)
        total: Floats = (kept.weights[known].astype(np.float64)[:, None] * rows).sum(axis=0)
        length = np.sqrt((total * total).sum())
        return total / length if length > 0 else None

    def nearest(self, vector: Int16s) -> tuple[int, ...]:
        """Give the cells that a vector is nearest to, the nearest first; none to a vector of 0."""
        if not vector.any():
            return ()
        if len(self.cells) == 1:
            return (0,)
        return tuple(self.cell_order(vector[None])[0, : self.probes].tolist())

    def cell_order(self, vectors: Int16s) -> NDArray[np.intp]:
        """Give all cells in the order of their nearness to each of some vectors."""
        # Exact, and one product for all: no sum of these reaches 2 ** 24.
        products = vectors.astype(np.float32) @ self.cells.astype(np.float32).T
        return np.argsort(-products, axis=1, kind="stable")

    def save(self, directory: Path) -> None:
        """Write the arrays into a directory."""
        for name, (kind, _) in _SHAPES.items():
            np.save(directory / f"{name}.npy", np.ascontiguousarray(getattr(self, name), kind))

    @classmethod
    def map(cls, directory: Path, unknown: float, probes: int) -> Self:
        """Map the arrays of a directory; ModelsError if they are not what they should be."""
        arrays = {name: _mapped(directory / f"{name}.npy", *_SHAPES[name]) for name in _SHAPES}
        _check(directory, arrays)
        return cls(**arrays, unknown=unknown, probes=probes)


FILES = tuple(f"{field.name}.npy" for field in fields(Tables) if field.name in _SHAPES)
"""The files that `Tables.save` writes."""


def means(total: NDArray[np.int64], articles: int) -> Float32s:
    """Give the mean of unit vectors from the sum of `rounded` ones, which is exact."""
    mean: Float32s = (total / (SCALE * max(1, articles))).astype(np.float32)
    return mean


def _find(among: Hashes64, hashes: Hashes64) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Give where hashes are, and which of them are there at all."""
    places = np.searchsorted(among, hashes)
    inside = np.minimum(places, len(among) - 1)
    return inside, among[inside] == hashes


def _mapped(path: Path, kind: str, axes: int) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise ModelsError(f"{path}: is not there; {_CURE}") from None
    except (OSError, ValueError, EOFError) as error:
        raise ModelsError(f"{path}: is no array ({error}); {_CURE}") from error
    if array.dtype != np.dtype(kind) or array.ndim != axes or not len(array):
        raise ModelsError(
            f"{path}: holds {array.dtype} {array.shape}, not {np.dtype(kind)} of {axes} axes;"
            f" {_CURE}"
        )
    # A plain view: every slice of a memmap would be a memmap again, which costs more than it.
    plain: NDArray[Any] = array.view(np.ndarray)
    return plain


def _check(directory: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    pairs = (("words", "vectors"), ("idf_words", "idf"))
    lengths = all(len(arrays[one]) == len(arrays[other]) for one, other in pairs)
    dimensions = arrays["vectors"].shape[1]
    widths = arrays["cells"].shape[1] == dimensions == len(arrays["mean"])
    if not (lengths and widths):
        raise ModelsError(f"{directory}: its arrays do not belong together; {_CURE}")
