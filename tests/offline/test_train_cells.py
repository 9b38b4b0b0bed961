"""How many cells are looked into."""

import numpy as np
import pytest

from streaming.offline import train_cells
from streaming.offline.train_cells import choose_probes, own_cells
from streaming.similar import building
from streaming.similar.description import Int16s, rounded
from streaming.similar.tables import Tables
from tests.similar import versions


def tables(cells: Int16s) -> Tables:
    return building.recut(versions.learned(None, versions.words(3)).tables, cells)


def drawn(count: int, seed: int, centres: Int16s, spread: float) -> Int16s:
    rng = np.random.default_rng(seed)
    own = centres[rng.integers(0, len(centres), count)] / 4000
    return rounded(own + rng.normal(scale=spread, size=own.shape))


def recall(cut: Tables, base: Int16s, queries: Int16s, probes: int) -> float:
    """Measured the long way: one query, one article at a time."""
    cells = [int(cut.cell_order(vector[None])[0, 0]) for vector in base]
    found = []
    for query in queries:
        nearness = [int(query.astype(int) @ vector.astype(int)) for vector in base]
        best = sorted(range(len(base)), key=lambda at: -nearness[at])[:10]
        probed = set(cut.cell_order(query[None])[0, :probes].tolist())
        found.append(sum(cells[at] in probed for at in best) / len(best))
    return sum(found) / len(found)


@pytest.mark.parametrize("spread", [0.02, 0.2, 0.6])
def test_the_fewest_cells_with_enough_recall_are_chosen(spread: float) -> None:
    rng = np.random.default_rng(1)
    centres = rounded(rng.normal(size=(12, versions.DIMENSIONS)))
    cut = tables(centres)
    base, queries = drawn(300, 2, centres, spread), drawn(40, 3, centres, spread)
    chosen = choose_probes(cut, base, queries)
    assert chosen.recall >= 0.99
    assert chosen.recall == pytest.approx(recall(cut, base, queries, chosen.count), abs=0.004)
    if chosen.count > 1:
        assert recall(cut, base, queries, chosen.count - 1) < 0.99


def test_well_apart_cells_need_one_probe_and_noise_needs_many() -> None:
    rng = np.random.default_rng(1)
    centres = rounded(rng.normal(size=(12, versions.DIMENSIONS)))
    cut = tables(centres)
    near = choose_probes(cut, drawn(300, 2, centres, 0.01), drawn(40, 3, centres, 0.01))
    far = choose_probes(cut, drawn(300, 2, centres, 2.0), drawn(40, 3, centres, 2.0))
    assert near.count == 1
    assert far.count > 4


def test_a_few_articles_will_do() -> None:
    centres = rounded(np.random.default_rng(1).normal(size=(2, versions.DIMENSIONS)))
    chosen = choose_probes(tables(centres), drawn(3, 1, centres, 0.1), drawn(1, 2, centres, 0.1))
    assert 1 <= chosen.count <= 2
    assert chosen.recall == 1


def test_own_cells_are_the_nearest_centres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_cells, "_PART", 7)
    centres = rounded(np.random.default_rng(1).normal(size=(9, versions.DIMENSIONS)))
    vectors = drawn(50, 4, centres, 0.5)
    expected = (vectors.astype(int) @ centres.T.astype(int)).argmax(axis=1)
    assert own_cells(tables(centres), vectors).tolist() == expected.tolist()


def test_numbers_of_cells() -> None:
    assert [train_cells.cell_count(n) for n in (1, 400, 20_000, 1_000_000)] == [2, 20, 141, 1000]
    assert [train_cells.held_out(n) for n in (1, 400, 20_000, 1_000_000)] == [1, 20, 1000, 1000]
