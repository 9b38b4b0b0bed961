"""An index of a few articles without Spark, and every cell of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming.cli import main
from streaming.enrichment import Enricher
from streaming.filelog import FileLogWriter, read_records
from streaming.query.in_force import Chosen
from streaming.query.run import prepare
from streaming.reasons import Rejected
from streaming.settings import Settings, load
from streaming.store.contract import Store
from streaming.store.opening import open_index
from streaming.store.tables import TABLES
from tests.engine.worlds import batch

Table = dict[bytes, dict[bytes, bytes]]
BEGIN_MS = 1_767_571_200_000
"""2026-01-05 in UTC; events are a minute apart."""


def publish(directory: Path, settings: Settings, events: Sequence[Mapping[str, Any]]) -> None:
    """Append events to a file log of one partition, and do what the query does with all of it.

    With ``query.models`` the articles get lists as well.
    """
    known = sum(1 for _ in read_records(directory)) if directory.exists() else 0
    with FileLogWriter(directory, partitions=1) as log:
        for number, fields in enumerate(events, known):
            event = {"channel": "go", **fields}
            log.append(b"k", orjson.dumps(event), (), BEGIN_MS + number * 60_000)
    prepare(settings)
    store = open_index(settings)
    models = Chosen(settings).in_force(store)
    answers = Enricher(settings).enrich(list(read_records(directory)), models.handles)
    logged = [answer for answer in answers if not isinstance(answer, Rejected)]
    batch(store, logged, settings.matching.rules(), models.rankings)


def build(directory: Path, events: Sequence[Mapping[str, Any]], models: str | None = None) -> Path:
    """Make an index of these events in a directory; gives the directory."""
    overrides = [("store.url", f"sqlite:{directory / 'leitong.db'}", "test")]
    if models is not None:
        overrides.append(("query.models", models, "test"))
    settings = load(overrides=overrides, environment={}).settings
    publish(directory / "log", settings, events)
    open_index(settings).close()
    return directory


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command; gives its exit status, what it says, and what it says on standard error."""
    try:
        main([*arguments])
        code = 0
    except SystemExit as ending:
        code = int(ending.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def everything(store: Store) -> dict[str, Table]:
    """All cells of all tables of a generation."""
    return {spec.name: dict(store.scan(spec.name)) for spec in TABLES}
