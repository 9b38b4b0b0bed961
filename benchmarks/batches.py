"""A channel over a thousand micro-batches: what ranking costs, what it keeps in memory, and
how long a host takes that begins with nothing.

Every batch does what the query's tasks do: rows of judged articles go into the log, the
channel's view is opened, brought up to date and closed, lists and neighbours are written.
First the channel grows from nothing; then all of it is judged again, as by a replay, so that
what still grows is not the channel's. Memory is what belongs to the process alone; the view
itself lies in mapped files.

    python benchmarks/batches.py [--store URL] [--batches N] [--size N]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import write
from benchmarks.ranked import make_channel
from streaming.engine.ranking import catch_up, rank
from streaming.settings import load
from streaming.similar.entries import Described, Row
from streaming.similar.scoring import Ranking
from streaming.similar.view import View
from streaming.store import similar
from streaming.store.contract import Mutation, Store
from streaming.store.models import FROM_THE_START
from streaming.store.tables import tables
from streaming.store.urls import open_store

MODEL, SCOPE = "v0001", "news"
TOLD = 10
"""So many times progress is told."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--store", help="by default SQLite in a folder that is removed")
    parser.add_argument("--batches", type=int, default=1_000)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as directory:
        url = arguments.store or f"sqlite:{directory}/index.db"
        overrides = [("store.url", url, "--store")]
        settings = load(overrides=overrides, environment={}).settings
        store = open_store(settings.store.url, "bench_")
        store.ensure_tables(tables(0))
        try:
            told = run(store, Path(directory), arguments)
        finally:
            store.drop_tables(tables(0))
            store.close()
    kind = url.split(":")[0]
    write(f"batches-{kind}", {"store": kind, **told})
    return 0


def run(store: Store, directory: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    batches, size = arguments.batches, arguments.size
    rows = list(make_channel(batches * size, arguments.seed).rows())
    marks = []
    for number in range(2 * batches):
        begin = number % batches * size
        seconds = judge(store, directory / "view", rows[begin : begin + size], 1 + number)
        if (number + 1) % max(1, batches // TOLD) == 0:
            mark = {
                "batches": number + 1,
                "articles": min(number + 1, batches) * size,
                "own_mib": own_memory() / 2**20,
                "batch_seconds": seconds,
            }
            marks.append(mark)
            sys.stdout.write("  ".join(f"{k} {v:,.4g}" for k, v in mark.items()) + "\n")
            sys.stdout.flush()
    begin = time.perf_counter()
    with View(Ranking(), directory / "elsewhere") as view:
        catch_up(store, view, MODEL, SCOPE, FROM_THE_START)
    seconds = time.perf_counter() - begin
    sys.stdout.write(f"from nothing: {batches * size:,} articles in {seconds:.1f} s\n")
    return {"batch": size, "marks": marks, "catch_up_seconds": seconds}


def judge(store: Store, directory: Path, batch: Sequence[Row], number: int) -> float:
    """Write a batch into the log as the judges do, and rank it. Gives the seconds of that."""
    token = number.to_bytes(8)
    store.mutate(similar.LOG, [written(row, token) for row in batch])
    begin = time.perf_counter()
    with View(Ranking(), directory) as view:
        rank(store, view, view.ranking, MODEL, SCOPE, token, None)
    return time.perf_counter() - begin


def written(row: Row, token: bytes) -> Mutation:
    assert row.standing is not None
    assert row.described is not None
    position, description = row.described
    described = Described(
        position, row.standing.first, row.standing.published_ms, description.encode()
    )
    versions = {position: described}
    return similar.judged(MODEL, SCOPE, token, row.article, row.standing, versions, deleted=False)


def own_memory() -> int:
    """Give the bytes that are no file's and no other process's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024


if __name__ == "__main__":
    sys.exit(main())
