"""How many of a channel's cells are looked into, so that hardly anything near is missed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.similar.description import Int16s
from streaming.similar.tables import Tables

RECALL = 0.99
"""Share of the nearest articles that must lie in the cells that are looked into."""

NEAREST = 10
MOST_HELD_OUT = 1_000
_HELD_OUT_SHARE = 20
_ROWS = 50
_PART = 4_096


@dataclass(frozen=True, slots=True)
class Probes:
    """How many cells are looked into, and the share of nearest articles measured in them."""

    count: int
    recall: float


def cell_count(articles: int) -> int:
    """Give the number of cells of a channel that is large enough to have several."""
    return max(2, round(math.sqrt(articles)))


def held_out(articles: int) -> int:
    """Give how many of a channel's articles its cells are measured on, not made from."""
    return min(MOST_HELD_OUT, max(1, articles // _HELD_OUT_SHARE))


def own_cells(tables: Tables, vectors: Int16s) -> NDArray[np.intp]:
    """Give the cell that each of some vectors is in."""
    parts = range(0, len(vectors), _PART)
    return np.concatenate([tables.cell_order(vectors[at : at + _PART])[:, 0] for at in parts])


def choose_probes(tables: Tables, base: Int16s, queries: Int16s) -> Probes:
    """Choose the fewest cells that hold `RECALL` of the `NEAREST` articles of the queries.

    ``base`` and ``queries`` are vectors as they are described, the former those that are
    searched. The nearest are found by comparing every query with all of them.
    """
    cells = own_cells(tables, base)
    count = min(NEAREST, len(base))
    searched = base.astype(np.float32).T
    needed = []
    for at in range(0, len(queries), _ROWS):
        chunk = queries[at : at + _ROWS]
        nearness = chunk.astype(np.float32) @ searched
        found = np.argpartition(-nearness, count - 1, axis=1)[:, :count]
        rank = np.argsort(tables.cell_order(chunk), axis=1)
        needed.append(np.take_along_axis(rank, cells[found], axis=1))
    places = np.sort(np.concatenate(needed, axis=None))
    most = int(places[min(len(places) - 1, int(np.ceil(RECALL * len(places))) - 1)])
    return Probes(most + 1, float((places <= most).mean()))
