"""The whole query: Kafka to HBase, and a log of files to SQLite; how much, how fast, and on what.

Throughput: everything that is in the log, in large batches; seconds of each stage as the query
publishes them, and of the processor by who used it. Before that the servers have taken --warm
other articles into another index: they stay up for months, and their machine code is made in the
first minutes. Latency: articles at a fixed rate, and how long after an event was logged its
verdict was, by the broker's clock. Similar articles are ranked under --models, or under models of
the first articles; with --check every verdict is compared with the reference, which takes its
time. LEITONG_CORPORA names the folder of the corpora; what they lack of articles is simulated.

    python benchmarks/end_to_end.py [--articles N] [--warm N] [--batch N] [--models DIR] [--check]
                                    [--rate N] [--seconds N]
"""

import argparse
import itertools
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import versions, write
from streaming.figures import read_figures
from streaming.settings import Settings, load
from streaming.stack.settings import Options
from streaming.stack.stack import LocalStack
from streaming.store.opening import open_index
from streaming.store.tables import TABLES
from tests.integration.logs import differences, exported, log_of, must_export, publish, wait
from tests.newsfeed import CORPORA, NEWS, Message, corpus, simulated

LEITONG = (sys.executable, "-m", "streaming")
MORE_NEWS = (*NEWS, "xinwenlianbo_to_2024")
STAGES = ("enrich", "put", "judge", "rank", "report")
PERCENTILES = (50, 95, 99)
ROLES = {
    "HBase": "HMaster",
    "HBase's Thrift server": "ThriftServer",
    "Kafka": "kafka.Kafka",
    "Spark": "org.apache.spark.deploy.SparkSubmit",
    "workers": "streaming.query.daemon",
    "driver": "streaming run",
}
_TICKS = os.sysconf("SC_CLK_TCK")
HEAP = "3g"
"""Of HBase: with a third of it, what it keeps in memory is full when 30 000 articles are in."""
COLLECTOR = "-XX:+UseParallelGC"
"""Of garbage in the servers: Java's own choice takes a tenth more of two cores."""
WORKERS = (os.cpu_count() or 1) + 1
"""One more than cores: there is always one that waits for a store."""
LEARNED = 8_000
"""Models are learned of so many articles."""
_SETTLING = 30
"""Seconds at the beginning that do not count: workers start, dictionaries are loaded."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--articles", type=int, default=50_000)
    parser.add_argument("--warm", type=int, default=30_000)
    parser.add_argument("--batch", type=int, default=3_000)
    parser.add_argument("--models", type=Path, help="a registry of `leitong train`")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as name:
        directory = Path(name)
        feed = list(articles(arguments.articles + arguments.warm))
        if arguments.models is None:
            arguments.models = learned(feed[:LEARNED], directory)
        options = Options(hbase_heap=HEAP, java_options=(COLLECTOR,))
        stack = LocalStack(directory / "stack", LocalStack.free_ports(), options)
        try:
            stack.up(progress=print)
            warm_up(stack, feed[arguments.articles :], directory, arguments)
            told = measure(stack, feed[: arguments.articles], directory, arguments)
        finally:
            stack.down(erase=True)
    write("end_to_end", told)
    return any(run.get("differing_rows", 0) for run in told["throughput"].values())


def learned(feed: Sequence[Message], directory: Path) -> Path:
    events, registry = directory / "learned.jsonl", directory / "models"
    write_lines(events, feed)
    options = ["--from", str(events), "--models", str(registry), "--activate", "--iterations", "1"]
    subprocess.run([*LEITONG, "train", *options], cwd=directory, check=True)
    return registry


def write_lines(file: Path, feed: Sequence[Message]) -> None:
    file.write_bytes(b"".join(each.value + b"\n" for each in feed))


def warm_up(
    stack: LocalStack, feed: Sequence[Message], directory: Path, arguments: argparse.Namespace
) -> None:
    """Have servers take articles that are not measured, into an index that is not."""
    if not feed:
        return
    source = f"kafka://{stack.kafka}/warm"
    publish(source, feed)
    store = f"hbase://{stack.hbase}/warm?admin={stack.admin}"
    home = directory / "warm"
    home.mkdir()
    subprocess.run(whole(source, store, arguments), cwd=home, check=True)


def measure(
    stack: LocalStack, feed: Sequence[Message], directory: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    topic, files = f"kafka://{stack.kafka}/articles", f"file:{directory / 'log'}"
    publish(topic, feed)
    publish(files, feed)
    places = {
        "Kafka to HBase": (topic, f"hbase://{stack.hbase}/whole?admin={stack.admin}"),
        "files to SQLite": (files, f"sqlite:{directory}/whole.db"),
    }
    lengths = [len(orjson.loads(each.value)["body"]) for each in feed]
    told: dict[str, Any] = {
        "articles": len(feed),
        "warmed_by": arguments.warm,
        "hbase_heap": HEAP,
        "workers": WORKERS,
        "mean_characters": round(statistics.mean(lengths)),
        "batch": arguments.batch,
        "throughput": {},
        "latency": {},
        "versions": versions("pyspark", "pyarrow", "numba", "numpy"),
    }
    for number, (name, (source, store)) in enumerate(places.items()):
        home = directory / f"throughput-{number}"
        home.mkdir()
        run = throughput(source, store, home, arguments)
        if arguments.check:
            found = exported("verdicts", store, home)
            run["differing_rows"] = len(differences(found, must_export(source, Settings())))
        told["throughput"][name] = run
        print(name, orjson.dumps(run).decode(), flush=True)
    for number, name in enumerate(("HBase", "SQLite")):
        home = directory / f"latency-{number}"
        home.mkdir()
        store = f"hbase://{stack.hbase}/paced?admin={stack.admin}"
        if name == "SQLite":
            store = f"sqlite:{home}/paced.db"
        run = latency(stack, f"paced-{number}", store, feed, home, arguments)
        told["latency"][f"Kafka to {name}"] = run
        print(f"Kafka to {name}", orjson.dumps(run).decode(), flush=True)
    return told


def articles(count: int) -> Iterator[Message]:
    """Real articles as far as there are any, from all corpora in turns; then simulated ones."""
    found = [corpus(name) for name in MORE_NEWS if (CORPORA / f"{name}.jsonl.gz").exists()]
    mixed = (each for several in itertools.zip_longest(*found) for each in several if each)
    real = list(itertools.islice(mixed, count))
    return itertools.chain(real, simulated(count - len(real)))


def throughput(
    source: str, store: str, home: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Read a whole log; rates are those of full batches after the first."""
    begin = time.perf_counter()
    with Processors() as spent:
        query = subprocess.Popen(whole(source, store, arguments), cwd=home)
        if query.wait():
            raise RuntimeError("the query failed")
    wall = time.perf_counter() - begin
    batches = figures(store)
    steady = [each for each in batches[1:] if each["events"] > arguments.batch / 2]
    events = sum(each["events"] for each in steady)
    seconds = {name: sum(each["seconds"][name] for each in steady) for name in STAGES}
    rates = [each["events"] / sum(each["seconds"].values()) for each in steady]
    return {
        "wall_seconds": round(wall, 1),
        "articles_per_second": round(events / sum(seconds.values()), 1),
        "slowest_batch_per_second": round(min(rates), 1),
        "last_batch_per_second": round(rates[-1], 1),
        "milliseconds_per_article": {
            name: round(1000 * spent / events, 3) for name, spent in seconds.items()
        },
        "processor_seconds": {name: round(each, 1) for name, each in spent.seconds().items()},
        "judged_again": sum(each["affected"] for each in batches),
    }


def latency(
    stack: LocalStack,
    name: str,
    store: str,
    feed: Sequence[Message],
    home: Path,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """Publish articles at a rate, with a trigger of a second, and compare two logs' stamps."""
    source, verdicts = (f"kafka://{stack.kafka}/{name}-{each}" for each in ("in", "out"))
    publish(source, feed[:1])
    span = ["--trigger", "1s", "--verdicts", verdicts]
    query = subprocess.Popen(command(source, store, arguments.models, *span), cwd=home)
    try:
        wait(lambda: bool(figures(store)), query)
        paced = feed[1 : 1 + arguments.rate * (_SETTLING + arguments.seconds)]
        file = home / "paced.jsonl"
        write_lines(file, paced)
        pace = ["--from", str(file), "--to", source, "--rate", f"{arguments.rate}/s"]
        subprocess.run([*LEITONG, "produce", *pace], cwd=home, check=True, capture_output=True)
        wait(lambda: sum(each["events"] for each in figures(store)) > len(paced), query)
    finally:
        query.send_signal(signal.SIGINT)
        query.wait()
    asked = {record.key: record.timestamp_ms for record in log_of(source)}
    answered: dict[bytes | None, int] = {}
    for record in log_of(verdicts):
        # A later announcement says what an edit or an override changed.
        answered.setdefault(record.key, record.timestamp_ms)
    begin = min(asked[each.key] for each in paced) + 1000 * _SETTLING
    waited = [answered[key] - stamp for key, stamp in asked.items() if stamp >= begin]
    cuts = statistics.quantiles(waited, n=100)
    return {
        "per_second": arguments.rate,
        "articles": len(waited),
        "milliseconds": {f"p{each}": round(cuts[each - 1]) for each in PERCENTILES},
        "most_milliseconds": max(waited),
        "batches": len(figures(store)),
    }


def whole(source: str, store: str, arguments: argparse.Namespace) -> list[str]:
    """Give the command that reads all that is in a log."""
    span = ["--max-batch", str(arguments.batch), "--until-caught-up"]
    return command(source, store, arguments.models, *span)


def command(source: str, store: str, models: Path, *span: str) -> list[str]:
    places = ["--source", source, "--store", store, "--models", str(models.absolute())]
    return [*LEITONG, "run", *places, "--set", f"spark.master=local[{WORKERS}]", *span]


def figures(store: str) -> list[dict[str, Any]]:
    """What the query tells of its batches, the first of them first; none before it has begun."""
    index = open_index(load(overrides=[("store.url", store, "benchmark")]).settings)
    if index.missing_tables(TABLES):
        return []
    return [each for each in list(read_figures(index, limit=1_000_000))[::-1] if each["events"]]


class Processors:
    """Adds up the seconds of the processor by who used them, from a beginning to an end."""

    def __init__(self) -> None:
        self._before = self._now()
        self._latest: dict[tuple[str, int], float] = {}
        self._done = threading.Event()
        self._watching = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watching.join()

    def seconds(self) -> dict[str, float]:
        total: dict[str, float] = defaultdict(float)
        for process, spent in self._latest.items():
            total[process[0]] += spent - self._before.get(process, 0.0)
        return total

    def _watch(self) -> None:
        # Workers come and go: what they used is known as long as they are there.
        while not self._done.wait(0.2):
            self._latest |= self._now()

    @staticmethod
    def _now() -> Mapping[tuple[str, int], float]:
        found = {}
        for directory in Path("/proc").iterdir():
            if not directory.name.isdigit():
                continue
            try:
                words = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                fields = (directory / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            for role, word in ROLES.items():
                if word in words:
                    found[role, int(directory.name)] = sum(map(int, fields[11:15])) / _TICKS
                    break
        return found


if __name__ == "__main__":
    sys.exit(main())
