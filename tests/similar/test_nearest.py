import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.similar.description import rounded
from streaming.similar.nearest import Cells, nearest
from tests.similar.scopes import unit


def brute(
    vectors: np.ndarray[tuple[int, int], np.dtype[np.int16]],
    query: np.ndarray[tuple[int], np.dtype[np.int16]],
    k: int,
    among: set[int],
) -> list[tuple[int, int]]:
    products = vectors.astype(np.int64) @ query.astype(np.int64)
    ordered = sorted((-int(products[number]), number) for number in among)
    return [(number, -product) for product, number in ordered[:k]]


@given(
    st.lists(st.tuples(*[st.integers(-1, 1)] * 2), min_size=1, max_size=12),
    st.integers(1, 5),
    st.integers(1, 3),
    st.data(),
)
def test_nearest_is_what_brute_force_finds(
    drawn: list[tuple[int, int]], k: int, count: int, data: st.DataObject
) -> None:
    vectors = rounded(np.array(drawn, float))
    queries = rounded(np.array([[1, 0], [1, -1], [0, 0]], float))
    cell = np.array(data.draw(st.lists(st.integers(0, count - 1), min_size=12, max_size=12)))
    cell = cell[: len(vectors)]
    width = data.draw(st.integers(1, count))
    probes = np.array([data.draw(st.permutations(range(count)))[:width] for _ in queries])
    everywhere = nearest(vectors, queries, k)
    inside = nearest(vectors, queries, k, Cells.of(vectors, cell, count), probes)
    for number, query in enumerate(queries):
        looked = set(np.flatnonzero(np.isin(cell, probes[number])).tolist())
        for found, among in ((everywhere, set(range(len(vectors)))), (inside, looked)):
            expected = brute(vectors, query, k, among)
            pairs = list(zip(found[0][number].tolist(), found[1][number].tolist(), strict=True))
            assert pairs == expected + [(-1, -np.inf)] * (k - len(expected))


@pytest.mark.parametrize("k", [1, 10])
def test_many_blocks_are_one(k: int) -> None:
    vectors, queries = unit(9_000, 16, 1), unit(300, 16, 2)
    numbers, products = nearest(vectors, queries, k)
    for place in range(0, 300, 23):
        expected = brute(vectors, queries[place], k, set(range(9_000)))
        assert list(zip(numbers[place], products[place], strict=True)) == expected


def test_cells_change_nothing_if_all_are_looked_into() -> None:
    vectors, queries = unit(5_000, 16, 1), unit(40, 16, 2)
    cells = Cells.of(vectors, np.arange(5_000) % 7, 7)
    probes = np.tile(np.arange(7), (40, 1))
    numbers, products = nearest(vectors, queries, 10)
    inside, there = nearest(vectors, queries, 10, cells, probes)
    assert np.array_equal(numbers, inside)
    assert np.array_equal(products, there)
