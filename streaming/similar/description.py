"""What a model says of one version of an article: a vector, keywords, and cells.

Vectors and keyword weights are unit vectors rounded to whole numbers of 1/4000. That loses
nothing that ranking could see, and makes every sum of their products a whole number below
2**24: exact in 32-bit floats, in whatever order a library adds them up. So a score does not
depend on how articles were batched.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Self

import numpy as np
from numpy.typing import NDArray

SCALE = 4000
"""Length of a described vector, and of the vector of keyword weights."""

Int16s = NDArray[np.int16]
Hashes64 = NDArray[np.uint64]

_VERSION = 1
_HEAD = Struct("<BHBH")


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """An article's text under one version of a model.

    ``vector`` has one int16 per dimension and the length `SCALE`, or is all zeros where the
    model knows no word of the text. ``keywords`` are distinct uint64 hashes in ascending
    order, ``weights`` the positive int16 that belongs to each; their length is `SCALE`, too.
    ``cells`` are the cells of the channel nearest to the vector, the nearest first: it is in
    that one, and vectors are looked for in all of them. There is none without a vector.
    """

    vector: Int16s
    keywords: Hashes64
    weights: Int16s
    cells: tuple[int, ...] = (0,)

    def encode(self) -> bytes:
        """Encode as a cell value; equal descriptions give equal bytes."""
        return b"".join(
            (
                _HEAD.pack(_VERSION, len(self.vector), len(self.keywords), len(self.cells)),
                self.vector.astype("<i2").tobytes(),
                self.keywords.astype("<u8").tobytes(),
                self.weights.astype("<i2").tobytes(),
                np.array(self.cells, dtype="<u2").tobytes(),
            )
        )

    @classmethod
    def decode(cls, cell: bytes) -> Self:
        """Read `encode`'s bytes; ValueError if another version wrote them."""
        version, dimensions, keywords, cells = _HEAD.unpack_from(cell)
        if version != _VERSION:
            raise ValueError(f"description of version {version}, this program reads {_VERSION}")
        start = _HEAD.size
        vector = np.frombuffer(cell, "<i2", dimensions, start)
        start += vector.nbytes
        hashes = np.frombuffer(cell, "<u8", keywords, start)
        start += hashes.nbytes
        weights = np.frombuffer(cell, "<i2", keywords, start)
        start += weights.nbytes
        return cls(
            vector, hashes, weights, tuple(np.frombuffer(cell, "<u2", cells, start).tolist())
        )


def rounded(vector: NDArray[np.floating]) -> Int16s:
    """Scale vectors, along their last axis, to the length `SCALE`, and round; zeros stay zeros."""
    exact = vector.astype(np.float64)
    length = np.linalg.norm(exact, axis=-1, keepdims=True)
    scaled = np.divide(exact * SCALE, length, out=np.zeros_like(exact), where=length > 0)
    whole: Int16s = np.rint(scaled).astype(np.int16)
    return whole
