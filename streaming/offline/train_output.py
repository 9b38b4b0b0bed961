"""Publish what was trained, with its report beside the models."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import orjson

from streaming.offline.train import Trained
from streaming.offline.train_page import page
from streaming.similar import building
from streaming.similar.manifest import Manifest
from streaming.similar.registry import Registry

REPORT = "report.json"
PAGE = "report.html"


def publish(trained: Trained, registry: Registry) -> Manifest:
    """Publish a version; ModelsError if that cannot be.

    `REPORT` and `PAGE` are beside the models, but no part of the version: its checksum does
    not cover them.
    """
    with tempfile.TemporaryDirectory(prefix="leitong-train-") as scratch:
        directory = Path(scratch)
        finish = building.write_version(
            directory, trained.stop_words, trained.models, trained.version
        )
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        (directory / REPORT).write_bytes(orjson.dumps(trained.report.fields(), option=options))
        source = trained.version.source
        told = str(source.get("log") or ", ".join(source.get("files", ())) or source["kind"])
        created = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        (directory / PAGE).write_text(page(trained.report, told, created), encoding="utf-8")
        return registry.publish(directory, finish)
