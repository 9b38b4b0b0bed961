"""The same job on one core, on two, on two executors, and on a cluster of separate processes.

All take turns with the same log of files, each into an index of its own; what they export must
be the same bytes. Times are by the clock, since the work is done by many processes, and as the
query itself measured them, batch by batch and stage by stage; the first batch of each run starts
workers and loads dictionaries and does not count. LEITONG_CORPORA names the folder of the corpora.

    python benchmarks/executors.py [--articles N] [--batch N] [--repetitions N]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import REPETITIONS, spread, versions, write
from streaming.figures import read_figures
from streaming.settings import load
from streaming.store.opening import open_index
from tests.integration.clusters import environment, spark_home, standalone
from tests.integration.logs import publish
from tests.newsfeed import messages

EXPORTS = ("verdicts", "articles", "statistics")
STAGES = ("enrich", "put", "judge", "report")
ONE, TWO = "local[1]", "local[2]"
MASTERS = (ONE, TWO, "local-cluster[2,1,2048]", "standalone")
EXECUTORS = ("spark.executor.memory=1g",)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--articles", type=int, default=4_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as name:
        directory = Path(name)
        log = f"file:{directory / 'log'}"
        publish(log, messages(arguments.articles))
        runs: dict[str, list[dict[str, float]]] = {master: [] for master in MASTERS}
        exported = set()
        for repetition in range(arguments.repetitions):
            for number, master in enumerate(MASTERS):
                home = directory / f"{repetition}-{number}"
                home.mkdir()
                taken, found = run(master, log, arguments.batch, home)
                exported.add(found)
                runs[master].append(taken)
                print(master, json.dumps(taken), flush=True)
    told = {
        "articles": arguments.articles,
        "batch": arguments.batch,
        "repetitions": arguments.repetitions,
        "exports_differ": len(exported) != 1,
        "per_second": {m: of_all(taken, "articles_per_second") for m, taken in runs.items()},
        "seconds_per_batch": {
            master: {stage: of_all(taken, stage) for stage in STAGES}
            for master, taken in runs.items()
        },
        "from_one_core_to_two": {
            stage: spread([a[stage] / b[stage] for a, b in zip(runs[ONE], runs[TWO], strict=True)])
            for stage in (*STAGES, "all")
        },
        "versions": versions("pyspark", "pyarrow"),
    }
    write("executors", told)
    return int(len(exported) != 1)


def of_all(taken: list[dict[str, float]], what: str) -> dict[str, float]:
    return spread([each[what] for each in taken])


def run(
    master: str, log: str, batch: int, home: Path
) -> tuple[dict[str, float], tuple[bytes, ...]]:
    """Run the job to its end; gives its figures and what it exports."""
    variables = environment(spark_home(home / "spark"))
    if master != "standalone":
        begin = time.perf_counter()
        leitong(home, variables, log, batch, master)
    else:
        with standalone(home / "spark", 2, 1, "2g") as address:
            begin = time.perf_counter()
            leitong(home, variables, log, batch, address)
    told = figures(home) | {"wall_seconds": round(time.perf_counter() - begin, 1)}
    found = []
    for what in EXPORTS:
        command = ["export", what, "--to", f"{what}.jsonl"]
        call(home, variables, *command)
        found.append((home / f"{what}.jsonl").read_bytes())
    return told, tuple(found)


def leitong(home: Path, variables: dict[str, str], log: str, batch: int, master: str) -> None:
    sets = [part for each in (f"spark.master={master}", *EXECUTORS) for part in ("--set", each)]
    span = ["--source", log, "--max-batch", str(batch), "--until-caught-up"]
    call(home, variables, "run", *span, *sets)


def call(home: Path, variables: dict[str, str], *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "streaming", *arguments, "--store", "sqlite:index.db"],
        cwd=home,
        env=os.environ | variables,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def figures(home: Path) -> dict[str, float]:
    """The median seconds of each stage over the batches after the first, and articles a second."""
    store = f"sqlite:{home / 'index.db'}"
    index = open_index(load(overrides=[("store.url", store, "bench")], environment={}).settings)
    # The newest comes first.
    steady: list[Any] = list(read_figures(index, limit=1_000_000))[:-1]
    told = {
        stage: round(statistics.median(each["seconds"][stage] for each in steady), 3)
        for stage in STAGES
    }
    told["all"] = round(sum(told.values()), 3)
    events = sum(each["events"] for each in steady)
    spent = sum(each["seconds"][stage] for each in steady for stage in STAGES)
    return told | {"articles_per_second": round(events / spent, 1)}


if __name__ == "__main__":
    sys.exit(main())
