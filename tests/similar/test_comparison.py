"""In what versions differ."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streaming.similar.building import recut
from streaming.similar.comparison import ModelComparison, compare
from streaming.similar.models import Models
from streaming.similar.neighbours import nearest
from streaming.similar.scoring import Ranking
from tests.similar import versions

WORDS = versions.words(80)


def opened(place: Path) -> Models:
    return Models.open(place / "m" / max(path.name for path in (place / "m").glob("v*")))


def test_a_version_is_like_itself(tmp_path: Path) -> None:
    versions.publish(str(tmp_path / "m"), tmp_path / "a")
    one = opened(tmp_path)
    found = compare(one, one)
    assert found.same
    assert found.differences == ()
    assert found.only == ((), ())
    assert [(each.name, each.vocabulary, each.nearest) for each in found.models] == [
        ("(fallback)", 1, 1),
        ("体育", 1, 1),
    ]


def test_words_neighbours_and_rules_are_compared(tmp_path: Path) -> None:
    url = str(tmp_path / "m")
    first = [versions.learned(None, WORDS), versions.learned("体育", WORDS[:30])]
    versions.publish(url, tmp_path / "a", first)
    one = opened(tmp_path)
    other_vectors = versions.learned(None, WORDS[20:] + versions.words(20, 300), seed=9)
    second = [other_vectors, versions.learned("财经", WORDS[:30])]
    versions.publish(url, tmp_path / "b", second, ranking=Ranking(size=9))
    found = compare(one, opened(tmp_path))
    assert not found.same
    assert found.only == (("体育",), ("财经",))
    (fallback,) = found.models
    assert fallback.words == (80, 80)
    assert fallback.shared == 60
    assert fallback.vocabulary == 0.6
    assert fallback.nearest is not None
    assert fallback.nearest < 0.5, "vectors were drawn anew"
    told = {each.name: (each.one, each.other) for each in found.differences}
    assert told["ranking.size"] == (12, 9)
    assert told["models.体育.words"] == (30, None)
    assert "ranking.scope" not in told


def test_neighbours_do_not_depend_on_how_vectors_lie(tmp_path: Path) -> None:
    url = str(tmp_path / "m")
    one = versions.learned(None, WORDS)
    versions.publish(url, tmp_path / "a", [one])
    first = opened(tmp_path)
    turn, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(versions.DIMENSIONS,) * 2))
    turned = (one.tables.vectors @ turn).astype(np.float32)
    other = replace(one, tables=replace(recut(one.tables, one.tables.cells), vectors=turned))
    versions.publish(url, tmp_path / "b", [other])
    (found,) = compare(first, opened(tmp_path)).models
    assert isinstance(found, ModelComparison)
    assert found.nearest == pytest.approx(1, abs=0.01)
    assert not found.same


@pytest.mark.parametrize("rows", [1, 7, 40])
def test_nearest_are_those_of_all_pairs(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.similar.neighbours._ROWS", 3)
    vectors = np.random.default_rng(1).normal(size=(40, 5)).astype(np.float32)
    vectors[3] = 0
    found = nearest(vectors, np.arange(rows), 6)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    for row in range(rows):
        cosines = units @ units[row]
        cosines[row] = -2
        if row != 3:
            assert found[row].tolist() == np.argsort(-cosines)[:6].tolist()
        assert row not in found[row]
    assert nearest(vectors[:3], np.arange(2), 6).shape == (2, 2)
