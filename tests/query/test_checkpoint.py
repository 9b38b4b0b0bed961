"""A checkpoint is used for the index that it was made with, and for nothing else."""

from pathlib import Path

import pytest

from streaming.errors import SettingsError
from streaming.query import checkpoint
from streaming.query.source import WHOLE, Span
from streaming.store.generations import Generation

MAIN = Generation("main", "one", 1)
K2 = Generation("k2", "two", 1)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "checkpoint"


def test_an_index_goes_on_with_its_checkpoint(directory: Path) -> None:
    assert checkpoint.read(directory) is None
    checkpoint.claim(directory, MAIN, WHOLE)
    checkpoint.claim(directory, MAIN, WHOLE)
    owner = checkpoint.read(directory)
    assert owner is not None
    assert owner.belongs_to(MAIN)
    assert not owner.belongs_to(K2)
    assert [path.name for path in directory.iterdir()] == ["leitong.json"]


def test_another_generation_does_not(directory: Path) -> None:
    checkpoint.claim(directory, MAIN, WHOLE)
    with pytest.raises(SettingsError, match=r"of generation main.*k2 has not.*--generation main"):
        checkpoint.claim(directory, K2, WHOLE)
    with pytest.raises(SettingsError, match=r"that was dropped.*remove the directory"):
        checkpoint.claim(directory, Generation("main", "three", 2), WHOLE)
    checkpoint.claim(directory, MAIN, WHOLE)


def test_a_directory_that_nobody_noted_is_taken_for_ours(directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "metadata").write_text("{}")
    checkpoint.claim(directory, MAIN, WHOLE)
    with pytest.raises(SettingsError):
        checkpoint.claim(directory, K2, WHOLE)


@pytest.mark.parametrize(
    "span",
    [
        Span(from_offsets={0: 5, 10: 7}),
        Span(from_ms=7),
        Span(to_offsets={0: 5}),
        Span(from_ms=7, to_ms=9),
    ],
)
def test_a_part_of_the_log_is_gone_on_with_within_the_same_bounds(
    directory: Path, span: Span
) -> None:
    checkpoint.claim(directory, K2, span)
    checkpoint.claim(directory, K2, span)
    for other in (WHOLE, Span(from_ms=1), Span(from_ms=7, to_ms=10)):
        with pytest.raises(SettingsError, match=r"another part of the log.*leave something out"):
            checkpoint.claim(directory, K2, other)


def test_a_finished_part_goes_on_live_if_it_has_no_end(directory: Path) -> None:
    checkpoint.claim(directory, K2, Span(from_ms=7))
    checkpoint.finish(directory)
    checkpoint.claim(directory, K2, WHOLE)
    checkpoint.claim(directory, K2, Span(from_ms=7))
    with pytest.raises(SettingsError):
        checkpoint.claim(directory, K2, Span(from_ms=8))


@pytest.mark.parametrize("span", [Span(to_ms=7), Span(to_offsets={0: 5})])
def test_a_finished_part_that_has_an_end_does_not(directory: Path, span: Span) -> None:
    checkpoint.claim(directory, K2, span)
    checkpoint.finish(directory)
    checkpoint.claim(directory, K2, span)
    with pytest.raises(SettingsError):
        checkpoint.claim(directory, K2, WHOLE)


def test_a_whole_log_is_not_gone_on_with_in_part(directory: Path) -> None:
    checkpoint.claim(directory, K2, WHOLE)
    checkpoint.finish(directory)
    with pytest.raises(SettingsError, match="the whole of it"):
        checkpoint.claim(directory, K2, Span(to_ms=7))


def test_a_note_that_cannot_be_read_is_named(directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "leitong.json").write_text("[]")
    with pytest.raises(SettingsError, match=r"leitong\.json: cannot be read"):
        checkpoint.claim(directory, K2, WHOLE)
    checkpoint.finish(directory.parent)
