"""Which models are brought to the workers; that they arrive is shown on a cluster."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from streaming.errors import ModelsError
from streaming.query.shipping import at_hand, for_workers
from streaming.similar.models import Handle


def session(master: str) -> Any:
    return SimpleNamespace(sparkContext=SimpleNamespace(master=master))


@pytest.mark.parametrize(
    ("master", "location"),
    [
        ("local", "/srv/models/v0001"),
        ("local[*]", "/srv/models/v0001"),
        ("local[2, 4]", "/srv/models/v0001"),
        ("spark://head:7077", "memory://models/v0001"),
    ],
)
def test_what_every_worker_can_open_stays_where_it_is(master: str, location: str) -> None:
    handles = {"m": Handle("v0001", "c" * 64, location)}
    assert for_workers(session(master), handles) == handles
    assert at_hand(handles) == handles


@pytest.mark.parametrize("master", ["local-cluster[2,1,1024]", "spark://head:7077", "yarn"])
def test_a_directory_that_is_gone_is_told(
    master: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyspark.SparkFiles.getRootDirectory", lambda: str(tmp_path))
    gone = tmp_path / "models" / "v0001"
    with pytest.raises(ModelsError, match=r"models/v0001.*cannot be read"):
        for_workers(session(master), {"m": Handle("v0001", "c" * 64, str(gone))})
    assert not list(tmp_path.iterdir())
