"""How evenly real keys spread over regions, and what each setting of HBase's tables is worth.

Real articles are put and judged in an index in memory; its keys are counted by salt. Then the same
cells go into tables of a local HBase that differ in one setting each, in turns: bytes on disk
after compaction, and how much the servers and the client work per put and per get, of rows that
are there and of rows that are not. Work is time of the processor, of HBase, its Thrift server and
this program together, so others on the machine matter less; rates by the clock are told as well.
LEITONG_CORPORA names the folder of the corpora.

    python benchmarks/regions.py [--articles N] [--rows N] [--salts-only]
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import REPETITIONS, spread, versions, write
from benchmarks.prepared import enrich, records
from benchmarks.servers import compact, hbase, store_bytes, table_directory
from streaming.engine import statistics
from streaming.engine.events import by_article
from streaming.engine.judge import judge
from streaming.engine.put import put
from streaming.settings import load
from streaming.stack.stack import LocalStack
from streaming.store.contract import Mutation, Store
from streaming.store.hbase_admin import Thrift2Admin
from streaming.store.hbase_connection import RefusedError, ThriftSettings
from streaming.store.hbase_layout import layout
from streaming.store.memory import MemoryStore
from streaming.store.sockets import Endpoint
from streaming.store.tables import TABLES
from streaming.store.urls import open_store

SALTS = 64
BATCH = 500
REGIONS = 4
GETS = 3_000
DAY = "86400"
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "as set": {},
    "encoding NONE": {"DATA_BLOCK_ENCODING": "NONE"},
    "encoding ROW_INDEX_V1": {"DATA_BLOCK_ENCODING": "ROW_INDEX_V1"},
    "encoding DIFF": {"DATA_BLOCK_ENCODING": "DIFF"},
    "compression NONE": {"COMPRESSION": "NONE"},
    "compression SNAPPY": {"COMPRESSION": "SNAPPY"},
    "compression LZ4": {"COMPRESSION": "LZ4"},
    "compression ZSTD": {"COMPRESSION": "ZSTD"},
    "bloom NONE": {"BLOOMFILTER": "NONE"},
    "bloom ROWCOL": {"BLOOMFILTER": "ROWCOL"},
    "no block cache": {"BLOCKCACHE": "false"},
    "blocks of 64 KiB": {"BLOCKSIZE": "65536"},
    "blocks of 8 KiB": {"BLOCKSIZE": "8192"},
    "blocks of 8 KiB, ROW_INDEX_V1": {"BLOCKSIZE": "8192", "DATA_BLOCK_ENCODING": "ROW_INDEX_V1"},
    "TTL of 90 days": {"TTL": str(90 * int(DAY))},
}
"""What differs from the layout of the table. GZ is what every server has."""
MEASURED = ("bucket", "head", "article")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--articles", type=int, default=8_000)
    parser.add_argument("--rows", type=int, default=30_000, help="rows of a table at most")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--salts-only", action="store_true")
    arguments = parser.parse_args()
    store = index_of(arguments.articles)
    told: dict[str, Any] = {"articles": arguments.articles, "salts": SALTS, "spread": salts(store)}
    if not arguments.salts_only:
        with (
            tempfile.TemporaryDirectory(prefix="leitong-bench-") as directory,
            hbase(Path(directory)) as stack,
        ):
            told["settings"] = {
                table: settings(stack, store, table, arguments) for table in MEASURED
            }
    write("regions", told | {"versions": versions("happybase", "thriftpy2") | {"hbase": "2.4.17"}})
    return 0


def index_of(articles: int) -> Store:
    """Put and judge real articles as the query does."""
    chosen = load(environment={}).settings
    rules = chosen.matching.rules()
    store = MemoryStore("regions", "")
    store.ensure_tables(TABLES)
    events = enrich(chosen, records(articles, 1_700_000_000_000))
    for number, begin in enumerate(range(0, len(events), BATCH), 1):
        batch, token = events[begin : begin + BATCH], number.to_bytes(8)
        put(store, rules, batch)
        statistics.record(store, judge(store, rules, by_article(batch), token, b"\0"), token)
    return store


def salts(store: Store) -> dict[str, Any]:
    """Give the share of the busiest salts of each salted table, in rows, cells and bytes."""
    told: dict[str, Any] = {"even": 1 / SALTS}
    for spec in TABLES:
        if not spec.salted:
            continue
        counted = {what: Counter[int]() for what in ("rows", "cells", "bytes")}
        largest = 0
        for row, cells in store.scan(spec.name):
            salt = row[0] * SALTS // 256
            counted["rows"][salt] += 1
            counted["cells"][salt] += len(cells)
            counted["bytes"][salt] += sum(len(row) + len(q) + len(v) for q, v in cells.items())
            largest = max(largest, len(cells))
        rows = counted["rows"].total()
        if not rows:
            continue
        shares = {
            f"busiest_by_{what}": max(counts.values()) / counts.total()
            for what, counts in counted.items()
        }
        # What the busiest of so many equal ones has by chance alone.
        told[spec.name] = {
            "rows": rows,
            **shares,
            "by_chance": by_chance(rows),
            "cells_of_the_largest_row": largest,
        }
        print(spec.name, told[spec.name], flush=True)
    return told


def by_chance(rows: int) -> float:
    drawn = random.Random(1)
    return max(Counter(drawn.randrange(SALTS) for _ in range(rows)).values()) / rows


def settings(
    stack: LocalStack, source: Store, table: str, arguments: argparse.Namespace
) -> dict[str, Any]:
    spec = next(spec for spec in TABLES if spec.name == table)
    cells = list(source.scan(table, limit=None))
    drawn = random.Random(2)
    cells = drawn.sample(cells, min(len(cells), arguments.rows))
    there = [row for row, _ in cells]
    # They lie among those that are there.
    absent = [row[:-1] + bytes((row[-1] ^ 0x55,)) for row in there]
    absent = sorted(set(absent) - set(there))
    endpoint = Endpoint("127.0.0.1", stack.ports.admin)
    admin = Thrift2Admin((endpoint,), ThriftSettings((endpoint,)), "the benchmark")
    store = open_store(f"hbase://{stack.hbase}/v?admin={stack.admin}")
    made, refused = [], []
    for name, changes in VARIANTS.items():
        wanted = layout(spec, REGIONS, "GZ")
        try:
            admin.create(
                f"v_{physical(table, name)}",
                replace(wanted, attributes={**wanted.attributes, **changes}),
            )
            made.append(name)
        except RefusedError as error:
            refused.append(name)
            print(name, "is not to be had:", str(error)[:200], flush=True)
    admin.close()
    clock = Work(stack)
    told: dict[str, Any] = {name: {} for name in made}
    # The first of each warms up.
    turns = arguments.repetitions + 1
    parts = [cells[at::turns] for at in range(turns)]
    measure(told, made, "put", clock, parts, lambda name, part: written(store, table, name, part))
    for name in made:
        compact(stack, f"v_{physical(table, name)}")
        stored = store_bytes(table_directory(stack, f"v_{physical(table, name)}"))
        told[name]["bytes_per_row"] = stored / len(cells)
    for kind, rows in (("get", there), ("get of nothing", absent)):
        samples = [drawn.sample(rows, min(GETS, len(rows))) for _ in range(turns)]
        measure(told, made, kind, clock, samples, lambda name, part: read(store, table, name, part))
    for name in made:
        works = {
            k: round(v["work"]["median"]) for k, v in told[name].items() if k != "bytes_per_row"
        }
        print(table, name, round(told[name]["bytes_per_row"], 1), works, flush=True)
    return {"rows": len(cells), "refused": refused, "variants": told}


def measure(
    told: dict[str, Any],
    names: Sequence[str],
    kind: str,
    clock: "Work",
    parts: Sequence[Sequence[Any]],
    work: Callable[[str, Sequence[Any]], None],
) -> None:
    """Let the variants take each part in turns, the first to warm up.

    Tells microseconds of work per row, and rows a second.
    """
    spent: dict[str, list[float]] = {name: [] for name in names}
    rates: dict[str, list[float]] = {name: [] for name in names}
    for number, part in enumerate(parts):
        for name in names:
            begin, before = time.perf_counter(), clock.seconds()
            work(name, part)
            if number:
                spent[name].append(1e6 * (clock.seconds() - before) / len(part))
                rates[name].append(len(part) / (time.perf_counter() - begin))
    for name in names:
        told[name][kind] = {"work": spread(spent[name]), "per_second": spread(rates[name])}


class Work:
    """Seconds of the processor that HBase, its Thrift server and this program have taken."""

    def __init__(self, stack: LocalStack) -> None:
        self._running = [each.pid for each in stack.status() if each.pid is not None]

    def seconds(self) -> float:
        return time.process_time() + sum(map(taken, self._running))


def taken(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def physical(table: str, variant: str) -> str:
    return f"{table}-{variant.replace(' ', '-').replace(',', '')}"


def written(store: Store, table: str, name: str, part: Sequence[Any]) -> None:
    store.mutate(physical(table, name), [Mutation(row, cells) for row, cells in part])


def read(store: Store, table: str, name: str, part: Sequence[bytes]) -> None:
    store.rows(physical(table, name), part)


if __name__ == "__main__":
    sys.exit(main())
