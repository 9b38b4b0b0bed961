"""The whole of two corpora through the query: Kafka to HBase, and Kafka to SQLite.

Every exported row is compared with the reference, in batches of 500 and of 5 000, and the
time per stage that the query itself measured is printed. LEITONG_CORPORA names the folder
of the corpora; without one, simulated articles take their place.

    python benchmarks/end_to_end.py [--articles N] [--keep DIRECTORY]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streaming.figures import read_figures
from streaming.settings import Settings, load
from streaming.stack.stack import LocalStack
from streaming.store.opening import open_index
from tests.integration.logs import differences, must_export, publish
from tests.newsfeed import messages

EVERYTHING = 36_261
RUNS = (("hbase", 500), ("hbase", 5_000), ("sqlite", 500), ("sqlite", 5_000))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=int, default=EVERYTHING)
    arguments = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as name:
        directory = Path(name)
        stack = LocalStack(directory / "stack", LocalStack.free_ports())
        try:
            stack.up(progress=console.print)
            results = measure(stack, directory, arguments.articles, console)
        finally:
            stack.down(erase=True)
    results_file = Path(__file__).parent / "results" / "end_to_end.json"
    results_file.parent.mkdir(exist_ok=True)
    results_file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return any(row["differing_rows"] for row in results["runs"])


def measure(stack: LocalStack, directory: Path, articles: int, console: Console) -> dict[str, Any]:
    topic = f"kafka://{stack.kafka}/articles"
    feed = messages(articles)
    begin = time.perf_counter()
    publish(topic, feed)
    console.print(f"{len(feed):,} events published in {time.perf_counter() - begin:.0f} s")
    begin = time.perf_counter()
    expected = must_export(topic, Settings())
    duplicates = sum(line["duplicate_of"] is not None for line in expected.values())
    console.print(
        f"reference: {len(expected):,} articles, {duplicates:,} duplicates,"
        f" {time.perf_counter() - begin:.0f} s"
    )
    runs = []
    for kind, size in RUNS:
        home = directory / f"{kind}-{size}"
        home.mkdir()
        store = (
            f"hbase://{stack.hbase}/bench-{size}" if kind == "hbase" else f"sqlite:{home}/index.db"
        )
        row = one_run(topic, store, size, home)
        exported = [orjson.loads(line) for line in (home / "verdicts.jsonl").open("rb")]
        row["differing_rows"] = len(differences(exported, expected))
        runs.append(row)
        console.print(row)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "articles": len(expected),
        "duplicates": duplicates,
        "runs": runs,
    }


def one_run(topic: str, store: str, size: int, home: Path) -> dict[str, object]:
    leitong = [sys.executable, "-m", "streaming"]
    begin = time.perf_counter()
    subprocess.run(
        [*leitong, "run", "--source", topic, "--store", store, "--max-batch", str(size),
         "--until-caught-up"],
        cwd=home,
        check=True,
    )  # fmt: skip
    wall = time.perf_counter() - begin
    export = [*leitong, "export", "verdicts", "--store", store, "--to", "verdicts.jsonl"]
    subprocess.run(export, cwd=home, check=True)
    index = open_index(load(overrides=[("store.url", store, "benchmark")]).settings)
    figures = list(read_figures(index, limit=1_000_000))
    # The first batch pays for starting workers and loading dictionaries.
    steady = figures[:-1] or figures
    events = sum(each["events"] for each in steady)
    seconds = {
        stage: round(sum(each["seconds"][stage] for each in steady), 1)
        for stage in ("enrich", "put", "judge", "report")
    }
    return {
        "store": store.partition(":")[0],
        "max_batch": size,
        "wall_seconds": round(wall, 1),
        "steady_articles_per_second": round(events / sum(seconds.values()), 1),
        "seconds": seconds,
        "judged_again": sum(each["affected"] for each in figures),
    }


if __name__ == "__main__":
    sys.exit(main())
