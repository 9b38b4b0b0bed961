import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming.errors import SettingsError
from streaming.matching.verification import DEFAULT_THRESHOLDS
from streaming.query.tasks import enrich_task
from streaming.settings import Settings, load
from streaming.stamping import stamp
from streaming.thresholds import FORMAT, read_thresholds, write_thresholds

NAME = fields(DEFAULT_THRESHOLDS)[0].name
CHANGED: dict[str, Any] = {NAME: 0.5125}
OTHER = DEFAULT_THRESHOLDS.having({**CHANGED, "brief.50.best": 0.81})
LEARNED: dict[str, Any] = {
    "learned": {"at": "2026-01-31T06:02:11Z", "pairs": 12},
    "inputs": {"新 a.jsonl": "0f"},
}


def settings_with(file: Path) -> Settings:
    return load(
        overrides=[("matching.thresholds_file", str(file), "--set")], environment={}
    ).settings


@pytest.mark.parametrize("name", ["t.toml", "t.json"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    write_thresholds(file, OTHER, LEARNED)
    assert read_thresholds(file).thresholds == OTHER
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": FORMAT + 1}, f"has format {FORMAT + 1}, this program reads {FORMAT}"),
        ({"format": None}, "has format None"),
        ({"thresholds": []}, "has no table of thresholds"),
        ({NAME + "x": 0.5}, f"no such threshold, the nearest is {NAME}"),
        ({NAME: None}, f"thresholds.{NAME} is missing"),
        ({NAME: "0.5"}, "'0.5' is not a number from 0 on"),
        ({NAME: -0.5}, "is not a number from 0 on"),
        ({NAME: True}, "is not a number from 0 on"),
    ],
)
def test_a_wrong_file_is_told_with_cause_and_cure(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    thresholds = {**DEFAULT_THRESHOLDS.listed(), **change}
    document = {"format": FORMAT, "thresholds": thresholds}
    for part in document.keys() & change.keys():
        document[part] = change[part]
        thresholds.pop(part)
    if change.get(NAME, "") is None:
        del thresholds[NAME]
    file = tmp_path / "t.json"
    file.write_bytes(orjson.dumps(document))
    with pytest.raises(SettingsError) as refused:
        read_thresholds(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert told in str(refused.value)
    with pytest.raises(SettingsError, match=r"^--set: matching\.thresholds_file: "):
        settings_with(file)


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="leitong calibrate --to makes such a file"):
        settings_with(tmp_path / "absent.toml")
    for name in ("t.toml", "t.json"):
        (tmp_path / name).write_bytes(b"[thresholds\n\xff")
        with pytest.raises(SettingsError, match=r"is no (TOML|JSON)"):
            read_thresholds(tmp_path / name)


def test_the_rules_follow_the_file_and_the_stamp_its_values(tmp_path: Path) -> None:
    one, copy = tmp_path / "one.toml", tmp_path / "copy.json"
    write_thresholds(one, OTHER, LEARNED)
    write_thresholds(copy, OTHER, {})
    settings = settings_with(one)
    assert settings.matching.rules().thresholds == OTHER
    assert stamp(settings) == stamp(settings_with(copy))
    learned = {f"thresholds.{NAME}": 0.5125, "thresholds.brief.50.best": 0.81}
    assert stamp(settings) == stamp(Settings()) | learned
    assert settings.model_dump(mode="json")["matching"]["thresholds_file"] == str(one)


def test_a_worker_needs_no_file(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    write_thresholds(file, OTHER, LEARNED)
    settings = settings_with(file)
    task = enrich_task(settings, {})
    file.unlink()
    assert pickle.loads(pickle.dumps(settings)).matching.rules().thresholds == OTHER  # noqa: S301 - our own bytes
    assert list(task([])) == []
