"""What an article and a read cost in each store: the constants of `leitong plan`.

The same articles, in the order in which they were published, go through the decision core into
SQLite and into a real HBase, once per band scheme. Told are cells and bytes on disk per table,
what is read and written per article, and the time that a row and a cell take: seconds of the
wall for a client that waits, seconds of the processor for the server. `--write` makes them the
constants that the package comes with. LEITONG_CORPORA names the folder of the corpora; without
one, simulated articles take their place.

    python benchmarks/costs.py [--articles N] [--write]
"""

import argparse
import json
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streaming.engine.events import Logged, LoggedContent, by_article
from streaming.engine.judge import judge
from streaming.engine.put import put
from streaming.enrichment import Enricher
from streaming.filelog import LogRecord
from streaming.matching.rules import Rules
from streaming.reasons import Rejected
from streaming.settings import load
from streaming.stack.processes import load as load_process
from streaming.stack.stack import LocalStack
from streaming.store.contract import Mutation, Store, TableSpec
from streaming.store.statistics import OperationStatistics
from streaming.store.tables import TABLES
from streaming.store.urls import open_store
from tests.newsfeed import CORPORA, corpus, simulated

SCHEMES = ((4, 1), (5, 2), (6, 3))
BATCH = 500
PROBE = "probe"
PROBED_ROWS = 2_000
PROBED_CELLS = (1, 8, 64, 256)
ROUNDS = 5
TICKS = os.sysconf("SC_CLK_TCK")

CONSTANTS = Path(__file__).resolve().parents[1] / "streaming/offline/data/costs.json"
LABELS = ("4 choose 1", "5 choose 2", "6 choose 3")
WHAT = {
    "gets of": ("read", "row"),
    "cells from": ("read", "cell"),
    "puts to": ("written", "row"),
    "cells to": ("written", "cell"),
}

Clock = Callable[[], float]


class Counted:
    """A store that counts the rows and cells that are read and written."""

    def __init__(self, store: Store) -> None:
        self._store, self.counts = store, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def rows(self, table: str, keys: Sequence[bytes]) -> Any:
        found = self._store.rows(table, keys)
        self.counts[f"gets of {table}"] += len(set(keys))
        self.counts[f"cells from {table}"] += sum(map(len, found.values()))
        return found

    def mutate(self, table: str, mutations: Iterable[Mutation]) -> None:
        told = list(mutations)
        self.counts[f"puts to {table}"] += len(told)
        self.counts[f"cells to {table}"] += sum(len(each.put) for each in told)
        self._store.mutate(table, told)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=int, default=8_000)
    parser.add_argument("--write", action="store_true", help="renew the package's constants")
    arguments = parser.parse_args()
    batches, enrich_us = enriched(arguments.articles)
    told: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "articles": sum(map(len, batches)),
        "enrich_us": enrich_us,
        "content_bytes": content_bytes(batches),
    }
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as name:
        told["sqlite"] = in_sqlite(Path(name), batches)
        told["hbase"] = in_hbase(Path(name), batches)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "costs.json").write_text(json.dumps(told, indent=1) + "\n")
    made = json.dumps(constants(told), indent=1) + "\n"
    sys.stdout.write(made)
    if arguments.write:
        CONSTANTS.write_text(made)
    return 0


def constants(told: dict[str, Any]) -> dict[str, Any]:
    """Bring what was measured into the form that `leitong plan` reads."""
    stores = {}
    for kind in ("sqlite", "hbase"):
        measured, prices = told[kind], told[kind]["prices"]
        plain = measured[LABELS[0]]
        stores[kind] = {
            "article_bytes": {
                name: round(plain["tables"][name]["disk"] / told["articles"], 1)
                for name in ("article", "text", "citation")
            },
            "cell_bytes": {
                "bucket": {label: per_cell(measured[label], "bucket") for label in LABELS},
                "head": per_cell(plain, "head"),
            },
            "disk_per_raw": {
                name: round(each["disk"] / each["raw"], 3) for name, each in plain["tables"].items()
            },
            "read_us": prices["read_wall_us"],
            "write_us": prices["written_wall_us"],
            "server_read_us": prices["read_server_us"],
            "server_write_us": prices["written_server_us"],
        }
    alone = told["sqlite"][LABELS[0]]
    paid = sum(
        count * told["sqlite"]["prices"][f"{what}_wall_us"][unit]
        for name, count in alone["per_article"].items()
        for what, unit in [WHAT[" ".join(name.split()[:2])]]
    )
    return {
        "origin": f"{told['articles']} news articles of 2023 through benchmarks/costs.py,"
        f" {told['machine']}, servers and client on one machine",
        "enrich_us": told["enrich_us"],
        "judge_us": round(alone["core_us"] - paid),
        "content_bytes": told["content_bytes"],
        "citations": alone["per_article"]["cells to citation"],
        "stores": stores,
    }


def per_cell(measured: dict[str, Any], table: str) -> float:
    size: dict[str, float] = measured["tables"][table]
    return round(size["disk"] / size["cells"], 2)


def enriched(count: int) -> tuple[list[list[Logged]], int]:
    real = (CORPORA / "chinanews_2023.jsonl.gz").exists()
    feed = list(corpus("chinanews_2023"))[:count] if real else simulated(count)
    records = [
        LogRecord("articles", 0, place, 1_700_000_000_000 + 290_000 * place, None, each.value, ())
        for place, each in enumerate(feed)
    ]
    enricher = Enricher(load(environment={}).settings)
    # Dictionaries are loaded once.
    enricher.enrich(records[:BATCH])
    begin = time.process_time()
    answers = enricher.enrich(records)
    took = time.process_time() - begin
    logged: list[Logged] = [each for each in answers if not isinstance(each, Rejected)]
    batches = [logged[at : at + BATCH] for at in range(0, len(logged), BATCH)]
    return batches, round(took / len(records) * 1e6)


def content_bytes(batches: Sequence[Sequence[Logged]]) -> int:
    contents = [
        each.content for batch in batches for each in batch if isinstance(each, LoggedContent)
    ]
    return round(statistics.mean(len(each.encode()) for each in contents if each))


def label_of(scheme: tuple[int, int]) -> str:
    return f"{scheme[0]} choose {scheme[1]}"


def rules_of(blocks: int, chosen: int) -> Rules:
    told = [("matching.blocks", str(blocks), "-"), ("matching.chosen", str(chosen), "-")]
    return load(overrides=told, environment={}).settings.matching.rules()


def fill(store: Store, rules: Rules, batches: Sequence[Sequence[Logged]]) -> dict[str, Any]:
    counted = Counted(store)
    store.ensure_tables(TABLES)
    cpu, wall = time.process_time(), time.perf_counter()
    for number, batch in enumerate(batches):
        put(counted, rules, batch)
        judge(counted, rules, by_article(batch), number.to_bytes(8), b"\0")
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    articles = sum(map(len, batches))
    return {
        "core_us": round(cpu / articles * 1e6),
        "wall_us": round(wall / articles * 1e6),
        "per_article": {k: round(v / articles, 3) for k, v in sorted(counted.counts.items())},
    }


def sizes(store: Store) -> dict[str, dict[str, float]]:
    """Count rows, cells and the bytes of keys, qualifiers and values, table by table."""
    found: dict[str, dict[str, float]] = {}
    for spec in TABLES:
        rows = cells = raw = 0
        for row, each in store.scan(spec.name):
            rows, cells = rows + 1, cells + len(each)
            raw += sum(len(row) + len(q) + len(v) for q, v in each.items())
        if rows:
            found[spec.name] = {"rows": rows, "cells": cells, "raw": raw}
    return found


def prices(store: Store, busy: Clock) -> dict[str, Any]:
    """Fit what a row and a cell take; microseconds of the wall, and of the server's processor."""
    store.ensure_tables([TableSpec(PROBE)])
    draw = np.random.default_rng(1)
    lines: dict[str, list[tuple[float, float, float]]] = {"read": [], "written": []}
    for cells in PROBED_CELLS:
        count = max(100, PROBED_ROWS // cells)
        for _ in range(ROUNDS):
            # Keys as those of bands: scattered, and none that was read before.
            keys = [draw.bytes(5) for _ in range(count)]
            rows = [Mutation(key, {draw.bytes(8): b"" for _ in range(cells)}) for key in keys]
            begin, used = time.perf_counter(), busy()
            store.mutate(PROBE, rows)
            between, spent = time.perf_counter(), busy()
            store.rows(PROBE, keys)
            end, last = time.perf_counter(), busy()
            lines["written"].append((cells, (between - begin) / count, (spent - used) / count))
            lines["read"].append((cells, (end - between) / count, (last - spent) / count))
    told = {}
    for what, points in lines.items():
        cells_, walls, servers = (np.array(column) for column in zip(*points, strict=True))
        for clock, seconds in (("wall", walls), ("server", servers)):
            medians = [np.median(seconds[cells_ == each]) for each in PROBED_CELLS]
            cell = np.polyfit(PROBED_CELLS, medians, 1)[0]
            told[f"{what}_{clock}_us"] = {
                "row": round(float(medians[0] - cell) * 1e6, 2),
                "cell": round(float(cell) * 1e6, 3),
            }
    return told


def in_sqlite(directory: Path, batches: Sequence[Sequence[Logged]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for scheme in SCHEMES:
        file = directory / f"{scheme[0]}{scheme[1]}.db"
        store = open_store(f"sqlite:{file}")
        filled = fill(store, rules_of(*scheme), batches)
        found = sizes(store)
        with sqlite3.connect(file) as connection:
            for name, size in connection.execute(
                "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"
            ):
                if name in found:
                    found[name]["disk"] = size
        told[label_of(scheme)] = filled | {"tables": found}
    store = open_store(f"sqlite:{directory / 'probe.db'}")
    return told | {"prices": prices(store, lambda: 0.0)}


def in_hbase(directory: Path, batches: Sequence[Sequence[Logged]]) -> dict[str, Any]:
    stack = LocalStack(directory / "stack", LocalStack.free_ports())
    told: dict[str, Any] = {}
    try:
        stack.up(kafka=False)
        stores = {}
        for scheme in SCHEMES:
            name = f"s{scheme[0]}{scheme[1]}"
            stores[name] = open_store(f"hbase://{stack.hbase}/{name}?regions=4")
            filled = fill(stores[name], rules_of(*scheme), batches)
            told[label_of(scheme)] = filled | {"tables": sizes(stores[name])}
        store = open_store(f"hbase://{stack.hbase}/probe?regions=4")
        told["prices"] = prices(store, lambda: processor_of(stack))
        compact(stack, stores)
        for scheme in SCHEMES:
            tables = told[label_of(scheme)]["tables"]
            for name, each in tables.items():
                each["disk"] = on_disk(stack, f"s{scheme[0]}{scheme[1]}_{name}")
    finally:
        stack.down(erase=True)
    return told


def processor_of(stack: LocalStack) -> float:
    """Seconds of the processor that HBase and its Thrift server have taken."""
    used = 0.0
    for name in ("hbase", "thrift"):
        process = load_process(stack.directory / "run" / f"{name}.json")
        assert process is not None
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / TICKS
    return used


def compact(stack: LocalStack, stores: dict[str, Store]) -> None:
    """Write everything out, by a stop, and merge what was written."""
    stack.down()
    stack.up(kafka=False)
    for name, store in stores.items():
        for spec in TABLES:
            table = f"{name}_{spec.name}".encode()

            def merge(client: Any, _: int, table: bytes = table) -> None:
                client.majorCompact(table)

            tables = store._tables  # type: ignore[attr-defined]  # noqa: SLF001 - no user compacts
            tables.call("compact", spec.name, merge, OperationStatistics())
    previous = -1
    while (size := sum(on_disk(stack, f"{name}_bucket") for name in stores)) != previous:
        previous = size
        time.sleep(10)


def on_disk(stack: LocalStack, table: str) -> int:
    folders = stack.directory.rglob(f"data/default/{table}")
    return sum(
        file.stat().st_size
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and file.parent.name in {"c", "similar"}
    )


if __name__ == "__main__":
    sys.exit(main())
