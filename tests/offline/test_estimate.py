from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from streaming.matching.title_thresholds import TITLE_DEFAULTS
from streaming.offline.balance import Category
from streaming.offline.estimate import estimate


def titles(count: int, words: int, seed: int) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    return [sorted({f"w{n}" for n in rng.integers(0, words, 7)}) for _ in range(count)]


def table(rows: Sequence[tuple[object, ...]], *columns: str) -> pa.Table:
    kinds = {
        "side": pa.int32(),
        "having": pa.int64(),
        "words": pa.list_(pa.string()),
        "category": pa.string(),
        "name": pa.string(),
    }
    schema = pa.schema([(name, kinds[name]) for name in columns])
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema)


def word_counts(category: str, *catalogues: list[list[str]]) -> list[tuple[object, ...]]:
    counts = Counter(word for catalogue in catalogues for each in catalogue for word in each)
    return [(category, word, count) for word, count in counts.items()]


def estimates(
    sizes: dict[str, tuple[int, int]],
    sampled: list[str],
    titles: Sequence[tuple[object, ...]],
    words: Sequence[tuple[object, ...]],
) -> dict[str, Category]:
    found = estimate(
        sizes,
        sampled,
        table(titles, "category", "side", "words"),
        table(words, "category", "name", "having"),
        TITLE_DEFAULTS,
    )
    return {each.name: each for each in found}


def test_a_sample_tells_dense_categories_from_sparse_ones() -> None:
    sample, words, whole = [], [], {}
    for category, known in (("dense", 150), ("sparse", 1_500)):
        left, right = titles(2_000, known, 1), titles(2_000, known, 2)
        own = word_counts(category, left, right)
        words += own
        rows = [(side, each) for side, of in enumerate((left, right)) for each in of]
        everything = [(category, *row) for row in rows]
        size = {category: (2_000, 2_000)}
        whole[category] = estimates(size, [category], everything, own)[category].candidates
        sample += [(category, *row) for row in rows[::4]]
    sizes = {"dense": (2_000, 2_000), "sparse": (2_000, 2_000), "other": (1_000, 2_000)}
    found = estimates(sizes, ["dense", "sparse"], sample, words)
    assert whole["dense"] > 5 * whole["sparse"] > 0
    for category, candidates in whole.items():
        assert found[category].candidates == pytest.approx(candidates, rel=0.1)
    mean = (found["dense"].candidates + found["sparse"].candidates) / 2
    assert found["other"].candidates == pytest.approx(mean / 2)
    assert (found["other"].left, found["other"].right) == (1_000, 2_000)


def test_a_sample_that_missed_a_side_says_none() -> None:
    for rows in ([], [("a", 0, ["x"])], [("a", 1, ["x"])]):
        found = estimates({"a": (5, 5)}, ["a"], rows, [("a", "x", 1)])
        assert found["a"].candidates == 0
