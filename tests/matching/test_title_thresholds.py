import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import SettingsError
from streaming.matching.title_thresholds import (
    TITLE_DEFAULTS,
    TitleRelation,
    TitleThresholds,
    read_thresholds,
)
from tests.matching.titles import thresholds

CLASSES: list[dict[str, Any]] = [
    {"up_to": 3, "min": 0.6, "best": 0.8, "max": 0.9},
    {"up_to": None, "min": 0.4, "best": 0.5, "max": 1},
]


def file_of(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "thresholds.json"
    path.write_text(json.dumps(document))
    return path


def test_relations_by_score_and_length(tmp_path: Path) -> None:
    limits = read_thresholds(file_of(tmp_path, {"version": 1, "classes": CLASSES}))
    scores = np.array([599_999, 600_000, 800_000, 899_999, 900_000, 900_000, 499_999, 1_000_000])
    words = np.array([1, 3, 3, 2, 3, 4, 4, 64])
    assert [TitleRelation(each) for each in limits.relations(scores, words)] == [
        TitleRelation.NONE,
        TitleRelation.DOUBTFUL,
        TitleRelation.PROBABLE,
        TitleRelation.PROBABLE,
        TitleRelation.MATCH,
        TitleRelation.PROBABLE,
        TitleRelation.DOUBTFUL,
        TitleRelation.MATCH,
    ]


@given(thresholds(), st.integers(1, 8), st.integers(1, 8), st.integers(0, 1_000_000))
def test_no_pair_matches_below_the_floor_of_either_title(
    limits: TitleThresholds, a: int, b: int, score: int
) -> None:
    relation = limits.relations(np.array([score]), np.array([min(a, b)]))
    floors = limits.floors(np.array([a, b]))
    if relation != TitleRelation.NONE:
        assert (score >= floors).all()


def test_the_defaults_can_be_written_down_and_read(tmp_path: Path) -> None:
    assert read_thresholds(file_of(tmp_path, TITLE_DEFAULTS.model_dump())) == TITLE_DEFAULTS


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"version": 2, "classes": CLASSES}, "version"),
        ({"classes": CLASSES}, "version"),
        ({"version": 1, "classes": []}, "classes"),
        ({"version": 1, "classes": CLASSES, "extra": 1}, "extra"),
        ({"version": 1, "classes": CLASSES[:1]}, "null in the last class"),
        ({"version": 1, "classes": [CLASSES[1], CLASSES[1]]}, "null in the last class"),
        ({"version": 1, "classes": [CLASSES[0], *CLASSES]}, "must grow"),
        ({"version": 1, "classes": [CLASSES[1] | {"min": 0.6}]}, "in this order"),
        ({"version": 1, "classes": [CLASSES[1] | {"min": 0}]}, "classes.0.min"),
        ({"version": 1, "classes": [CLASSES[1] | {"min": 4e-7}]}, "classes.0.min"),
        ({"version": 1, "classes": [CLASSES[1] | {"max": 1.1}]}, "classes.0.max"),
        ({"version": 1, "classes": [CLASSES[1] | {"best": "0.5"}]}, "classes.0.best"),
        ({"version": 1, "classes": [CLASSES[1] | {"up_to": 0}]}, "classes.0.up_to"),
        ({"version": 1, "classes": [{"min": 0.4, "best": 0.5, "max": 1}]}, "classes.0.up_to"),
        ([], "thresholds"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_an_example(
    tmp_path: Path, document: Any, told: str
) -> None:
    path = file_of(tmp_path, document)
    with pytest.raises(SettingsError, match=r'write \{"version": 1') as raised:
        read_thresholds(path)
    assert str(path) in str(raised.value)
    assert told in str(raised.value)


def test_a_file_that_is_not_there_or_no_json(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_thresholds(tmp_path / "absent.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(SettingsError, match=r"bad\.json"):
        read_thresholds(tmp_path / "bad.json")
