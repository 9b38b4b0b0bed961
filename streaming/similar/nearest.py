"""The vectors nearest to some others: exact, or among the cells that they look into.

One product of matrices for every block of vectors; of each block only those are looked at
that reach the worst of what was found before. Described vectors have whole numbers, so
their products are exact in 32-bit floats, whatever the order of blocks or the library.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from streaming.similar.description import Int16s

_BLOCK = 4_096
_TOGETHER = 256
_WIDE = 16

Numbers = NDArray[np.int64]
Products = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Vectors in the order of the cells they lie in.

    ``order`` says which vector stands at each place, ``starts`` where each cell begins;
    ``vectors`` are those themselves, in that order.
    """

    order: Numbers
    starts: Numbers
    vectors: Int16s

    @classmethod
    def of(cls, vectors: Int16s, cells: NDArray[np.integer], count: int) -> Self:
        """Sort vectors by their cells, numbers below ``count``."""
        order = np.argsort(cells, kind="stable")
        starts = np.searchsorted(cells[order], np.arange(count + 1))
        return cls(order, starts, vectors[order])


def nearest(
    vectors: Int16s,
    queries: Int16s,
    k: int,
    cells: Cells | None = None,
    probes: NDArray[np.integer] | None = None,
) -> tuple[Numbers, Products]:
    """Give the numbers of the ``k`` vectors nearest to each query, and their products.

    The largest product comes first, and of equal ones the smaller number. With ``cells``
    and ``probes``, one row of distinct cells for each query, only vectors in those are
    looked at. Where there are less than ``k``, -1 and minus infinity fill the rest.
    """
    numbers = np.full((len(queries), k), -1, np.int64)
    products = np.full((len(queries), k), -np.inf, np.float32)
    if cells is not None and probes is not None:
        _by_cells(cells, queries.astype(np.float32), probes, numbers, products)
    else:
        asked = np.arange(len(queries))
        for start in range(0, len(queries), _TOGETHER):
            some = asked[start : start + _TOGETHER]
            floats = queries[some].astype(np.float32)
            for first in range(0, len(vectors), _BLOCK):
                block = vectors[first : first + _BLOCK]
                of_block = np.arange(first, first + len(block))
                _merge(floats, block, of_block, some, numbers, products)
    return numbers, products


def _by_cells(
    cells: Cells,
    queries: Products,
    probes: NDArray[np.integer],
    numbers: Numbers,
    products: Products,
) -> None:
    """Go through the cells, each with all the queries that look into it."""
    looking = np.argsort(probes, axis=None, kind="stable")
    bounds = np.searchsorted(probes.reshape(-1)[looking], np.arange(len(cells.starts)))
    for cell in np.flatnonzero(np.diff(bounds)).tolist():
        asking = looking[bounds[cell] : bounds[cell + 1]] // probes.shape[1]
        start, end = int(cells.starts[cell]), int(cells.starts[cell + 1])
        for begin in range(0, len(asking), _TOGETHER):
            some = asking[begin : begin + _TOGETHER]
            floats = queries[some]
            for first in range(start, end, _BLOCK):
                place = slice(first, min(first + _BLOCK, end))
                _merge(floats, cells.vectors[place], cells.order[place], some, numbers, products)


def _merge(
    queries: Products,
    block: Int16s,
    of_block: Numbers,
    asking: Numbers,
    numbers: Numbers,
    products: Products,
) -> None:
    """Take the best of a block into the rows of those who ask."""
    k = numbers.shape[1]
    found = queries @ block.astype(np.float32).T
    worst = products[asking, -1]
    if found.shape[1] > _WIDE * k:
        # A list that is not full yet has nothing to go by: its own block says what is enough.
        empty = np.flatnonzero(worst == -np.inf)
        worst[empty] = np.partition(found[empty], -k, axis=1)[:, -k]
    rows, columns = np.divmod(np.flatnonzero(found >= worst[:, None]), found.shape[1])
    if not len(rows):
        return
    counts = np.bincount(rows, minlength=len(asking))
    some = np.flatnonzero(counts)
    # As a table: a row of what was known and what is new for each of them, padded.
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    row = np.searchsorted(some, rows)
    table = np.full((len(some), k + int(counts.max())), -np.inf, np.float32)
    names = np.full(table.shape, -1, np.int64)
    table[:, :k], names[:, :k] = products[asking[some]], numbers[asking[some]]
    table[row, k + place], names[row, k + place] = found[rows, columns], of_block[columns]
    order = np.lexsort((names, -table), axis=1)[:, :k]
    products[asking[some]] = np.take_along_axis(table, order, axis=1)
    numbers[asking[some]] = np.take_along_axis(names, order, axis=1)
