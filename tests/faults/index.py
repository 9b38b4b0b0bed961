"""Sets of tables by their addresses, and the files that are exported of them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import orjson

from streaming.exporting import Line, exports
from streaming.stack.stack import LocalStack
from tests.integration.logs import leitong

# Calls give up within seconds, so that an outage is an error of the batch and not a long wait.
_HBASE_OPTIONS = "regions=4&timeout=3s&deadline=4s"


@dataclass(frozen=True, slots=True)
class Index:
    """One set of tables, named by the options that every command takes."""

    url: str

    @property
    def options(self) -> tuple[str, ...]:
        """The options that name it."""
        return ("--store", self.url)


def new_tables(place: LocalStack | Path, name: str, options: str = _HBASE_OPTIONS) -> Index:
    """Name a set of tables that is not there yet: in HBase, or in a SQLite file of a folder."""
    if isinstance(place, Path):
        return Index(f"sqlite:{place / name}.db")
    return Index(f"hbase://{place.hbase}/{name}?{options}")


def run_to_the_end(source: str, index: Index, directory: Path, *more: str) -> None:
    """Run the query over a log from its beginning until it has caught up, undisturbed."""
    directory.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(directory / "checkpoint", ignore_errors=True)
    leitong(
        "run", "--source", source, *index.options, "--until-caught-up", *more, directory=directory
    )


def export_all(index: Index, directory: Path) -> dict[str, bytes]:
    """Export everything there is to export; the files' bytes by what is in them."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {}
    for what in exports():
        target = directory / f"{what}.jsonl"
        leitong("export", what, *index.options, "--to", str(target), directory=directory)
        files[what] = target.read_bytes()
    return files


def lines(exported: bytes) -> list[Line]:
    """Read the rows of an exported file."""
    return [orjson.loads(line) for line in exported.splitlines()]
