"""The decision core as the index grows: articles a second, gets, candidates, bytes.

Indexes of several sizes stand side by side, filled with generated articles (see `filling`), and
the same real articles go into each of them, a batch at a time in turns. What they ask of the
store is counted per table. Then one story is published again and again, and batches with and
without its copies take turns, and so do batches of forms that share boilerplate with thousands.
Last, the bytes on disk per article and table are read: from SQLite's pages, and from the files
of HBase's regions. LEITONG_CORPORA names the folder of the corpora.

    python benchmarks/growth.py [--store sqlite|hbase] [--sizes N,N] [--bands BLOCKS,CHOSEN]
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.filling import SPAN_MS, START_MS, Load, fill, generate, into_sqlite
from benchmarks.measuring import REPETITIONS, in_turns, spread, times, versions, write
from benchmarks.prepared import enrich, records
from benchmarks.servers import bytes_of_tables, hbase
from streaming import collecting
from streaming.engine import statistics
from streaming.engine.events import LoggedContent, by_article
from streaming.engine.judge import judge
from streaming.engine.put import put
from streaming.matching.content import Content, Key, Tier, unpacked
from streaming.matching.rules import Rules
from streaming.position import encode
from streaming.settings import Settings, load
from streaming.stack.settings import Options
from streaming.store.contract import Cells, Store
from streaming.store.index import Index
from streaming.store.tables import TABLES
from streaming.store.urls import open_store

BATCH, BATCHES, WARM = 500, 10, 2
MODELS = 8_000
"""So many real articles are what generated ones are modelled on; others are measured."""
AFTER_MS = START_MS + SPAN_MS
SHARES = (0.0, 0.1, 0.5)
"""How much of a batch are copies of the viral story."""
STORY_BATCH = 2_000
VERBATIM, OUTLETS = 0.7, 16


class Counted:
    """A store that counts the rows that are asked of each table, and the cells that come."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.gets: Counter[str] = Counter()
        self.cells: Counter[str] = Counter()

    def rows(self, table: str, keys: Sequence[bytes]) -> dict[bytes, Cells]:
        found = self._store.rows(table, keys)
        self.gets[table] += len(keys)
        self.cells[table] += sum(map(len, found.values()))
        return found

    def scan(self, table: str, *options: Any, **named: Any) -> Iterator[tuple[bytes, Cells]]:
        self.gets[f"{table}, scanned"] += 1
        return self._store.scan(table, *options, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass
class Contestant:
    """An index, and what batches took in it."""

    store: Store
    rules: Rules
    counted: Counted = field(init=False)
    processor: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)
    _batches: int = 0

    def __post_init__(self) -> None:
        self.counted = Counted(self.store)

    def take(self, batch: Sequence[LoggedContent]) -> int:
        """Put and judge a batch; gives its size."""
        self._batches += 1
        token, store = self._batches.to_bytes(8), cast("Store", self.counted)
        began, spent = time.perf_counter(), time.process_time()
        put(store, self.rules, batch)
        judged = judge(store, self.rules, by_article(batch), token, b"\0")
        self.clock.append(time.perf_counter() - began)
        self.processor.append(time.process_time() - spent)
        statistics.record(self.store, judged, token)
        return len(batch)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--store", choices=("sqlite", "hbase"), default="sqlite")
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--bands", default="4,1", help="blocks, and how many of them a band joins")
    parser.add_argument("--story", type=int, default=100_000, help="copies of the viral story")
    parser.add_argument("--batches", type=int, default=BATCHES)
    parser.add_argument("--directory", help="where the indexes lie while they are measured")
    arguments = parser.parse_args()
    sizes = sorted(map(int, arguments.sizes.split(",")))
    blocks, chosen = map(int, arguments.bands.split(","))
    told = [("matching.blocks", str(blocks), "bench"), ("matching.chosen", str(chosen), "bench")]
    settings = load(overrides=told, environment={}).settings
    collecting.seldom()  # as workers do
    with (
        tempfile.TemporaryDirectory(prefix="leitong-bench-", dir=arguments.directory) as name,
        stores(arguments.store, Path(name)) as (opened, loaded, sized),
    ):
        results = measure(settings, (opened, loaded, sized), sizes, arguments)
    bands = {"blocks": blocks, "chosen": chosen}
    results = {"store": arguments.store, "bands": bands, "batch": BATCH, **results}
    write(f"growth-{arguments.store}-{blocks}-{chosen}-{sizes[-1]}", results)
    return 0


Opened = Callable[[str], Store]
Loaded = Callable[[Store, str], Load | None]
Sized = Callable[[str], dict[str, int]]


@contextmanager
def stores(kind: str, directory: Path) -> Iterator[tuple[Opened, Loaded, Sized]]:
    """Give what opens an index by its name, fills it, and tells its bytes on disk by table."""
    if kind == "sqlite":
        yield (
            lambda name: open_store(f"sqlite:{directory}/{name}.db"),
            lambda store, name: into_sqlite(store, directory / f"{name}.db"),
            lambda name: pages(directory / f"{name}.db"),
        )
        return
    with hbase(directory, Options(hbase_heap="2g")) as stack:
        yield (
            lambda name: open_store(f"hbase://{stack.hbase}/{name}?admin={stack.admin}"),
            lambda _store, _name: None,
            lambda name: bytes_of_tables(stack, name),
        )


def pages(file: Path) -> dict[str, int]:
    """Bytes of the pages of each table of a SQLite file."""
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found = connection.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name").fetchall()
    finally:
        connection.close()
    return {name: size for name, size in found if name in {spec.name for spec in TABLES}}


def measure(
    settings: Settings,
    places: tuple[Opened, Loaded, Sized],
    sizes: Sequence[int],
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    opened, loaded, sized = places
    rules = settings.matching.rules()
    count = BATCH * (arguments.batches + WARM)
    # Models come first: what is measured later has not been modelled.
    taken = records(MODELS + count, AFTER_MS - MODELS)
    real = enrich(settings, taken[:MODELS])
    begin = time.process_time()
    measured = enrich(settings, taken[MODELS:])
    enriching = (time.process_time() - begin) / len(measured)
    contents = [each.content for each in real if each.content]
    told: dict[str, Any] = {"enrich_microseconds": 1e6 * enriching, "filled": {}}
    contestants = {}
    for size in sizes:
        name = f"i{size}"
        store = opened(name)
        store.ensure_tables(TABLES)
        begin = time.perf_counter()
        generated = generate(contents, size, size)
        fill(store, rules, generated, loaded(store, name))
        told["filled"][size] = {"seconds": time.perf_counter() - begin, "bytes": sized(name)}
        print(f"{size:,}: filled in {time.perf_counter() - begin:.0f} s", flush=True)
        contestants[size] = Contestant(store, rules)
    told["curve"] = curve(contestants, batches_of(measured), enriching)
    told["forms"] = forms(contestants[sizes[-1]], rules, real)
    if arguments.story:
        told["story"] = viral(contestants[sizes[0]], measured, real, arguments.story)
    told["bytes_per_article"] = bytes_per_article(opened, sized, rules, [*real, *measured])
    return told | {"versions": versions("numpy", "numba")}


def batches_of(events: Sequence[LoggedContent], size: int = BATCH) -> list[Sequence[LoggedContent]]:
    return [events[at : at + size] for at in range(0, len(events) - size + 1, size)]


def curve(
    contestants: dict[int, Contestant],
    batches: Sequence[Sequence[LoggedContent]],
    enriching: float,
) -> dict[int, Any]:
    for number, batch in enumerate(batches):
        for contestant in contestants.values():
            if number == WARM:
                contestant.counted.gets.clear()
                contestant.counted.cells.clear()
            contestant.take(batch)
    told = {}
    for size, contestant in contestants.items():
        processor, clock = contestant.processor[WARM:], contestant.clock[WARM:]
        asked = BATCH * len(clock)
        told[size] = {
            "per_processor_second": spread([BATCH / each for each in processor]),
            "per_second": spread([BATCH / each for each in clock]),
            "with_enriching_per_processor_second": spread(
                [BATCH / (each + BATCH * enriching) for each in processor]
            ),
            "gets_per_article": shares(contestant.counted.gets, asked),
            "cells_per_article": shares(contestant.counted.cells, asked),
        }
        rates = told[size]["per_processor_second"]
        gets = sum(contestant.counted.gets.values()) / asked
        print(f"{size:,}: {rates['median']:.0f} a second, {gets:.1f} gets", flush=True)
    return told


def shares(counted: Counter[str], among: int) -> dict[str, float]:
    return {name: round(number / among, 2) for name, number in sorted(counted.items())}


def forms(contestant: Contestant, rules: Rules, real: Sequence[LoggedContent]) -> dict[str, Any]:
    """Batches of articles with keys that are full, beside batches of articles without any."""
    keys = {
        Key("", Tier.SHINGLE, value)
        for each in real
        if each.content
        for value in unpacked(each.content.shingles)
    }
    heads = Index(contestant.store, rules).heads(keys)
    full = {key.value for key, head in heads.items() if len(head.entries) >= rules.visible}
    of_forms = [each for each in real if full & keys_of(each)]
    others = [each for each in real if each.content and not full & keys_of(each)]
    size = min(BATCH, len(of_forms) // (REPETITIONS + 1), len(others) // (REPETITIONS + 1))
    if not size:
        return {}
    turns = {"forms": batches_of(of_forms, size), "others": batches_of(others, size)}
    rates = in_turns({name: taking(contestant, iter(batches)) for name, batches in turns.items()})
    told = {"full_keys": len(full), "share_of_articles": len(of_forms) / len(real), "batch": size}
    return told | {name: spread(each) for name, each in rates.items()}


def taking(contestant: Contestant, batches: Iterator[Sequence[LoggedContent]]) -> Callable[[], int]:
    return lambda: contestant.take(next(batches))


def viral(
    contestant: Contestant,
    measured: Sequence[LoggedContent],
    real: Sequence[LoggedContent],
    copies: int,
) -> dict[str, Any]:
    """Publish a story ``copies`` times, then compare batches by how many more copies they hold."""
    story = next(each.content for each in measured if each.content and len(keys_of(each)) > 12)
    made = copies_of(story, copies + len(SHARES) * (REPETITIONS + 1) * BATCH)
    index = Index(contestant.store, contestant.rules)
    keys: set[Key] = set()
    for _ in range(0, copies, STORY_BATCH):
        batch = list(islice(made, STORY_BATCH))
        put(contestant.store, contestant.rules, batch)
        keys.update(key for e in batch if e.content for key in e.content.keys(contestant.rules))
        # Judging does this beside what takes most of its time; the copies' verdicts nobody reads.
        index.move_surplus(index.heads(keys))
    fresh = iter(real)

    def mixed(share: float) -> Iterator[Sequence[LoggedContent]]:
        count = round(BATCH * share)
        while True:
            yield [*islice(fresh, BATCH - count), *islice(made, count)]

    rates = in_turns({str(share): taking(contestant, mixed(share)) for share in SHARES})
    print({share: round(spread(each)["median"]) for share, each in rates.items()}, flush=True)
    return {
        "copies": copies,
        "per_processor_second": {share: spread(each) for share, each in rates.items()},
        "times_as_fast_as_without": {
            share: times(each, rates[str(SHARES[0])]) for share, each in rates.items()
        },
    }


def keys_of(event: LoggedContent) -> set[int]:
    return set(unpacked(event.content.shingles)) if event.content else set()


def copies_of(story: Content, count: int) -> Iterator[LoggedContent]:
    """Copies as they are made: most verbatim, the others with the line of one of few outlets."""
    random = np.random.default_rng(1)
    lines = [1 << one ^ 1 << other for one, other in random.integers(0, 64, (OUTLETS, 2)).tolist()]
    for number in range(count):
        changed = 0 if random.random() < VERBATIM else lines[random.integers(OUTLETS)]
        content = replace(story, fingerprint=(story.fingerprint or 0) ^ changed)
        position = encode(AFTER_MS + 10_000_000 + number, "articles", 1, number)
        yield LoggedContent(f"copy/{number}", position, content, b"text")


def bytes_per_article(
    opened: Opened, sized: Sized, rules: Rules, events: Sequence[LoggedContent]
) -> dict[str, float]:
    """What real articles, put and judged, take on disk in each table."""
    store = opened("real")
    store.ensure_tables(TABLES)
    contestant = Contestant(store, rules)
    for batch in batches_of(events):
        contestant.take(batch)
    count = len(events) // BATCH * BATCH
    return {table: round(size / count, 1) for table, size in sized("real").items() if size}


if __name__ == "__main__":
    sys.exit(main())
