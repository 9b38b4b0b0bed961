"""Run one query after another in this process, under the hash seed that it was started with.

    PYTHONHASHSEED=1 python -m tests.faults.matrix_driver PLAN RESULTS

PLAN holds a JSON line per query, RESULTS gets one as each is done; see `Planned` and `Done`.
"""

import logging
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from streaming.exporting import exports
from streaming.query.run import RunOptions, run
from streaming.settings import Settings, load
from streaming.store.opening import open_index
from streaming.store.tables import TABLES
from tests.faults import processes

HASH_SEED = "PYTHONHASHSEED"


@dataclass(frozen=True, slots=True)
class Planned:
    """A query over a topic into new tables, whose exports go into ``directory``."""

    source: str
    store: str
    max_batch: int
    directory: str
    keep: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it; ``hash_seeds`` are those of the driver and of every worker it had.

    ``some_hash`` depends on the driver's.
    """

    directory: str
    batches: int
    seconds: float
    hash_seeds: list[str]
    some_hash: int


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("streaming").setLevel(logging.INFO)
    plan, results = Path(sys.argv[1]), Path(sys.argv[2])
    with results.open("ab", buffering=0) as out:
        for line in plan.read_bytes().splitlines():
            done = one(Planned(**orjson.loads(line)))
            out.write(orjson.dumps(asdict(done), option=orjson.OPT_APPEND_NEWLINE))


def one(planned: Planned) -> Done:
    directory = Path(planned.directory)
    directory.mkdir(parents=True)
    settings = _settings(planned, directory / "checkpoint")
    seen: list[set[str]] = []

    def reached(moment: str) -> None:
        if moment == "put":
            seen.append(_hash_seeds())

    began = time.monotonic()
    run(settings, RunOptions(until_caught_up=True), reached)
    seconds = time.monotonic() - began
    index = open_index(settings)
    for what, export in exports().items():
        content = b"".join(
            orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in export(index)
        )
        (directory / f"{what}.jsonl").write_bytes(content)
    if not planned.keep:
        index.drop_tables(TABLES)
    shutil.rmtree(directory / "checkpoint")
    return Done(planned.directory, len(seen), seconds, sorted(set().union(*seen)), hash("leitong"))


def _settings(planned: Planned, checkpoint: Path) -> Settings:
    chosen = {
        "query.source": planned.source,
        "store.url": planned.store,
        "query.max_batch": str(planned.max_batch),
        "query.checkpoint": str(checkpoint),
    }
    return load(overrides=[(key, value, "matrix") for key, value in chosen.items()]).settings


def _hash_seeds() -> set[str]:
    ours = processes.of_session(os.getsid(0))
    workers = [process for process in ours if "pyspark.worker" in process.command]
    if not workers:
        raise RuntimeError("a batch without a worker")
    found = {processes.environment(process.pid).get(HASH_SEED, "none") for process in workers}
    return {os.environ.get(HASH_SEED, "none"), *found}


if __name__ == "__main__":
    main()
