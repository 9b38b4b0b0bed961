"""Cut the same logs in every way, and compare what is stored in the end.

Topics of 1, 2 and 4 partitions, batches of five sizes, three hash seeds, on a real Kafka and
a real HBase: the exports of a topic must be the same bytes however it was cut, and its rows
those that its log demands. Then each topic is replayed, over its own tables, which must not
change, and into new ones, which must become the same.

    MATRIX_ARTICLES=400 MATRIX_SEED=1 python -m tests.faults.matrix
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from itertools import islice, product
from pathlib import Path

import orjson
from rich.table import Table

from streaming.engine.statistics import ROLLUP, TIMELINE
from streaming.engine.summaries import SUMMARY
from streaming.exporting import exports
from streaming.settings import Settings, load
from streaming.stack.settings import Options
from streaming.stack.stack import LocalStack
from streaming.store import articles, keys
from streaming.store.contract import Cells
from streaming.store.opening import open_index
from streaming.store.tables import TABLES
from streaming.urls import KafkaUrl
from tests.faults.expected import Rows, differing, expected_exports
from tests.faults.experiment import conduct
from tests.faults.feed import edited_news, publish
from tests.faults.index import Index, export_all, new_tables
from tests.faults.matrix_driver import HASH_SEED, Done, Planned
from tests.faults.report import Checks
from tests.integration.logs import leitong

PARTITIONS = (1, 2, 4)
SIZES = (17, 40, 80, 150, 5000)
HASH_SEEDS = ("1", "2", "3")
REPLAYED = (HASH_SEEDS[-1], SIZES[2])
"""Of which hash seed and batch size the tables are kept, to be replayed over."""

_REGIONS = "regions=1"
_DRIVER_SECONDS = 1800
_OUTSIDE_THE_LAW = {"batch", "meta"}


def main() -> int:
    count = int(os.environ.get("MATRIX_ARTICLES", "400"))
    seed = int(os.environ.get("MATRIX_SEED", "1"))
    return conduct(
        "matrix",
        f"topics of {count} events, seed {seed}",
        partial(cut_in_every_way, count=count, seed=seed),
        # Cheaper compilation: the servers live for minutes, and have hundreds of tables to make.
        Options(hbase_heap="2g", java_options=("-XX:TieredStopAtLevel=1",)),
    )


def cut_in_every_way(
    stack: LocalStack, directory: Path, checks: Checks, *, count: int, seed: int
) -> None:
    wanted = {}
    for partitions in PARTITIONS:
        topic = KafkaUrl((stack.kafka,), f"articles-{partitions}")
        publish(topic, islice(edited_news(seed + partitions), count), partitions)
        wanted[partitions] = expected_exports(str(topic), Settings())
    done: dict[str, Done] = {}
    for hash_seed in HASH_SEEDS:
        began = time.monotonic()
        done |= run_under(hash_seed, stack, directory)
        checks.console.print(f"hash seed {hash_seed}: {time.monotonic() - began:.0f} s")
    compare(directory, done, wanted, checks)
    for partitions in PARTITIONS:
        replay(partitions, stack, directory, checks)


def name_of(partitions: int, size: int, hash_seed: str) -> str:
    return f"p{partitions}-b{size}-h{hash_seed}"


def run_under(hash_seed: str, stack: LocalStack, directory: Path) -> dict[str, Done]:
    """Run a query for every topic and size, all in one driver; what came of each, by its name."""
    plan, results = directory / f"plan-{hash_seed}.jsonl", directory / f"results-{hash_seed}.jsonl"
    with plan.open("wb") as out:
        for partitions, size in product(PARTITIONS, SIZES):
            name = name_of(partitions, size, hash_seed)
            planned = Planned(
                source=f"kafka://{stack.kafka}/articles-{partitions}",
                store=new_tables(stack, name, _REGIONS).url,
                max_batch=size,
                directory=str(directory / name),
                keep=(hash_seed, size) == REPLAYED,
            )
            out.write(orjson.dumps(asdict(planned), option=orjson.OPT_APPEND_NEWLINE))
    with (directory / f"driver-{hash_seed}.log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "tests.faults.matrix_driver", str(plan), str(results)],
            env=os.environ | {HASH_SEED: hash_seed},
            stdout=log,
            stderr=log,
            start_new_session=True,
            timeout=_DRIVER_SECONDS,
            check=True,
        )
    rows = [Done(**orjson.loads(line)) for line in results.read_bytes().splitlines()]
    return {Path(row.directory).name: row for row in rows}


def compare(
    directory: Path,
    done: Mapping[str, Done],
    wanted: Mapping[int, Mapping[str, Rows]],
    checks: Checks,
) -> None:
    seeds = (f"hash seed {seed}: rows, digest" for seed in HASH_SEEDS)
    table = Table("partitions", "batch size", "batches", *seeds, box=None)
    for partitions in PARTITIONS:
        digests, wrong = set(), 0
        for size in SIZES:
            cells = []
            for hash_seed in HASH_SEEDS:
                name = name_of(partitions, size, hash_seed)
                files = exported(directory / name)
                differ = sum(
                    len(differing(what, files[what], rows))
                    for what, rows in wanted[partitions].items()
                )
                digests.add(digest(files))
                wrong += differ
                row = done[name]
                cells.append(f"{differ} differ, {digest(files)[:8]}, {row.seconds:3.0f} s")
            table.add_row(str(partitions), str(size), str(row.batches), *cells)
        rows = sum(len(each) for each in wanted[partitions].values())
        what = f"{partitions} partitions"
        checks.check(f"{what}: rows as the log demands", wrong == 0, f"{rows} rows, {wrong} differ")
        checks.check(f"{what}: the same bytes", len(digests) == 1, f"{len(digests)} kinds")
    checks.console.print(table)
    for hash_seed in HASH_SEEDS:
        runs = [row for name, row in done.items() if name.endswith(f"-h{hash_seed}")]
        found = sorted({seed for row in runs for seed in row.hash_seeds})
        told = f"{len(runs)} runs, seeds {found}, hash('leitong') = {runs[0].some_hash}"
        checks.check(f"hash seed {hash_seed} in driver and workers", found == [hash_seed], told)
    hashes = {row.some_hash for row in done.values()}
    checks.check("the hash seeds make a difference", len(hashes) == len(HASH_SEEDS))


def replay(partitions: int, stack: LocalStack, directory: Path, checks: Checks) -> None:
    """Replay a topic over the tables it has, and into new ones."""
    hash_seed, size = REPLAYED
    name = name_of(partitions, size, hash_seed)
    live = new_tables(stack, name, _REGIONS)
    command = ("replay", "--from-beginning", "--source")
    source = f"kafka://{stack.kafka}/articles-{partitions}"
    files = exported(directory / name)
    before = stored(live)
    leitong(*command, source, *live.options, directory=directory)
    what = f"{partitions} partitions"
    warm = export_all(live, directory / f"warm-{partitions}")
    checks.check(f"{what}: a warm replay leaves every export as it was", warm == files)
    after = stored(live)
    changed = [table for table in before if before[table] != after[table]]
    told = f"{sum(map(len, before.values()))} rows, changed: {changed}"
    checks.check(f"{what}: a warm replay leaves every table as it was", not changed, told)
    new = new_tables(stack, f"{name}-cold", _REGIONS)
    leitong(*command, source, *new.options, "--max-batch", "77", directory=directory)
    cold = export_all(new, directory / f"cold-{partitions}")
    checks.check(f"{what}: a cold replay makes the same exports", cold == files)


def stored(index: Index) -> dict[str, dict[bytes, Cells]]:
    """Read all tables that the law is about, without the tokens of the attempts that wrote them."""
    store = open_index(load(overrides=[("store.url", index.url, "matrix")]).settings)
    found = {}
    for spec in TABLES:
        if spec.name not in _OUTSIDE_THE_LAW:
            rows = dict(store.scan(spec.name))
            if spec.name == articles.TABLE:
                rows = {row: _without_token(cells) for row, cells in rows.items()}
            elif spec.name in {TIMELINE, ROLLUP, SUMMARY}:
                rows = {row: {b"": cells[max(cells)]} for row, cells in rows.items()}
            found[spec.name] = rows
    store.close()
    return found


def _without_token(cells: Cells) -> Cells:
    verdicts = [qualifier for qualifier in cells if qualifier[:1] == keys.VERDICT]
    rest = {qualifier: value for qualifier, value in cells.items() if qualifier not in verdicts}
    return rest | ({keys.VERDICT: cells[max(verdicts)]} if verdicts else {})


def exported(directory: Path) -> dict[str, bytes]:
    return {what: (directory / f"{what}.jsonl").read_bytes() for what in exports()}


def digest(files: Mapping[str, bytes]) -> str:
    return hashlib.sha256(b"\0".join(files[what] for what in exports())).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
