"""How many pairs an index would propose in each category, from a sample of titles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streaming.matching.title_join import candidates
from streaming.matching.title_thresholds import TitleThresholds
from streaming.matching.titles import Whole
from streaming.offline.balance import Category
from streaming.offline.numbering import TitleColumns, WordColumns, numbered


def estimate(
    sizes: Mapping[str, tuple[int, int]],
    sampled: Sequence[str],
    titles: pa.Table,
    words: pa.Table,
    thresholds: TitleThresholds,
) -> list[Category]:
    """Estimate the candidates of categories of these sizes, left and right.

    ``titles`` has the columns ``category``, ``side`` (0 left, 1 right) and ``words`` of some
    titles of the ``sampled`` categories; ``words`` has ``category``, ``name`` and
    ``having``, how many titles of the whole category have it, for at least all their words.
    The other categories are taken to be as dense as the sampled ones together.
    """
    spaces = _spaces(titles, sampled)
    sides = titles.column("side").to_numpy()
    column = titles.column("words").combine_chunks()
    left, right = (
        TitleColumns(spaces[rows], column.take(pa.array(rows)))
        for rows in (np.flatnonzero(sides == side) for side in (0, 1))
    )
    found = np.zeros(len(sampled), np.float64)
    if len(left.spaces) and len(right.spaces):
        counted = WordColumns(
            _spaces(words, sampled),
            words.column("name").combine_chunks(),
            words.column("having").to_numpy(),
        )
        whole = np.array([sum(sizes[name]) for name in sampled])
        ours, theirs, _ = numbered(left, right, counted, whole, thresholds)
        np.add.at(found, left.spaces, candidates(ours, theirs))
    seen = [np.bincount(each.spaces, minlength=len(sampled)) for each in (left, right)]
    pairs = np.array([sizes[name][0] * sizes[name][1] for name in sampled], np.float64)
    scaled = (found * pairs / np.maximum(1, seen[0] * seen[1])).tolist()
    estimated = dict(zip(sampled, scaled, strict=True))
    density = sum(scaled) / float(pairs.sum())
    return [
        Category(name, *size, estimated.get(name, density * size[0] * size[1]))
        for name, size in sizes.items()
    ]


def _spaces(table: Any, sampled: Sequence[str]) -> Whole:
    found = pc.index_in(table.column("category"), value_set=pa.array(sampled, pa.string()))
    return np.asarray(found.to_numpy(), np.int64)
