"""Which words a model takes to be near: for reports and comparisons, not for ranking."""

import numpy as np
from numpy.typing import NDArray

from streaming.similar.tables import Float32s

_ROWS = 256


def nearest(vectors: Float32s, rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Give the ``count`` rows whose vectors are nearest by cosine to each of some rows.

    A row is not its own neighbour. The nearest comes first, of equal ones the smaller row.
    There are fewer if the table has no more.
    """
    count = min(count, len(vectors) - 1)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(length > 0, length, 1)
    found = np.empty((len(rows), count), np.intp)
    for start in range(0, len(rows), _ROWS):
        chunk = rows[start : start + _ROWS]
        cosines = units[chunk] @ units.T
        cosines[np.arange(len(chunk)), chunk] = -2
        best = np.sort(np.argpartition(-cosines, count - 1, axis=1)[:, :count], axis=1)
        order = np.argsort(-np.take_along_axis(cosines, best, axis=1), axis=1, kind="stable")
        found[start : start + _ROWS] = np.take_along_axis(best, order, axis=1)
    return found
