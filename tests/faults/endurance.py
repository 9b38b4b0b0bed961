"""Let a newsroom publish at a steady rate for a long time, and watch what it costs.

A query judges into a real HBase what a real Kafka has. Meanwhile the memory of every process
and the lag are looked at again and again: neither may grow. In the end every export must be
what the log demands.

A Java process takes memory up to the limit of its heap before it tidies up, so that what it
holds says little of what it needs: each is made to tidy up first, with jcmd of the JDK.

    ENDURANCE_MINUTES=30 ENDURANCE_RATE=20 python -m tests.faults.endurance

``ENDURANCE_MODELS`` names a directory of models, with which similar articles are ranked as well.
``ENDURANCE_TO`` names a file for the series, as JSON lines.
"""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median

import orjson
from rich.console import Console

from streaming.settings import Settings
from streaming.stack.java import java_command
from streaming.stack.stack import LocalStack
from streaming.urls import KafkaUrl
from tests.faults import processes
from tests.faults.expected import differing, expected_exports
from tests.faults.experiment import conduct
from tests.faults.feed import Feed
from tests.faults.index import Index, export_all, new_tables
from tests.faults.query import Query, Stuck
from tests.faults.report import Checks

PARTITIONS = 4
SAMPLE_SECONDS = 20.0
PARTS = 3
"""The first part of the time is for what is filled once: caches, heaps, dictionaries."""
MORE_MEMORY = 0.05
"""What the last part may have more than the middle one, as a share; and in bytes, with it:"""
MORE_BYTES = 16 * 2**20
CACHES = {"hbase": 1536 * 2**20}
"""Who fills its memory on purpose, for longer than this takes, and what it may have: its heap of a
gigabyte, which its write buffers and its block cache share, and half as much beside it."""
LAG_SECONDS = 15.0
"""How far behind the query may be at any moment of the last two parts."""
_CATCH_UP_SECONDS = 600.0

Sample = Mapping[str, float]


def main() -> int:
    minutes = float(os.environ.get("ENDURANCE_MINUTES", "30"))
    rate = float(os.environ.get("ENDURANCE_RATE", "20"))
    return conduct(
        "endurance",
        f"{minutes:g} minutes at {rate:g} events a second",
        partial(endure, seconds=60 * minutes, rate=rate),
    )


def endure(
    stack: LocalStack, directory: Path, checks: Checks, *, seconds: float, rate: float
) -> None:
    topic = KafkaUrl((stack.kafka,), "articles")
    index = new_tables(stack, "index")
    models = os.environ.get("ENDURANCE_MODELS")
    query = Query(
        directory / "query",
        ["--source", str(topic), *index.options, "--trigger", "1s",
         *(("--models", models) if models else ())],
    )  # fmt: skip
    feed = Feed(topic, 1, rate=rate, partitions=PARTITIONS, ahead=1_000_000, read=query.read)
    try:
        feed.start(PARTITIONS)
        query.start()
        samples = watch(stack, query, feed, seconds, checks.console)
        feed.stop(_CATCH_UP_SECONDS)
        stopped = query.stop()
        checks.check("the query stops when asked to", stopped == 0, f"exit status {stopped}")
        failures = query.failures()
        checks.check("no batch failed", failures == 0, f"{failures} failures")
        query.start("--until-caught-up")
        ended = query.wait(_CATCH_UP_SECONDS)
        checks.check("the query catches up", ended == 0, f"exit status {ended}")
    finally:
        with suppress(Stuck):
            feed.stop(0)
        query.clean_up()
    if told := os.environ.get("ENDURANCE_TO"):
        Path(told).write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in samples))
    check_samples(samples, rate, checks)
    check_tables(str(topic), index, directory, checks)


def watch(
    stack: LocalStack, query: Query, feed: Feed, seconds: float, console: Console
) -> list[Sample]:
    """Look at memory, in bytes, and at the lag, in events, until the time is over."""
    samples: list[Sample] = []
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        if not query.running():
            raise Stuck(f"the query has ended: {query.log}")
        memory = memory_of(stack, query)
        samples.append({"seconds": now, "lag": feed.sent - query.read(), **memory})
        if len(samples) % PARTITIONS == 1:
            shown = ", ".join(f"{name} {size / 2**20:.0f}" for name, size in memory.items())
            lag = samples[-1]["lag"]
            console.print(f"{now:6.0f} s, {feed.sent} events, {lag:.0f} behind; MiB: {shown}")
        time.sleep(SAMPLE_SECONDS)
    return samples


def memory_of(stack: LocalStack, query: Query) -> dict[str, float]:
    """Give the memory of every process by what it is; what several share counts in parts."""
    found: dict[str, float] = defaultdict(float)
    workers = {each.pid for each in query.workers()}
    for process in processes.of_session(query.sessions[-1]):
        if process.pid in workers:
            found["workers"] += proportional(process.pid)
        elif process.command.partition(" ")[0].endswith("java"):
            found["Spark"] += tidied(process.pid)
        else:
            name = "daemon" if ".daemon" in process.command else "driver"
            found[name] += proportional(process.pid)
    for server in stack.status():
        if server.pid is not None:
            found[server.name] += tidied(server.pid)
    return dict(found)


def tidied(pid: int) -> int:
    """Give the memory of a Java process that has just collected its garbage."""
    jcmd = Path(java_command()).with_name("jcmd")
    # One that is about to start or to end does not answer, and is measured as it is.
    subprocess.run([jcmd, str(pid), "GC.run"], capture_output=True, check=False, timeout=60)
    return proportional(pid)


def proportional(pid: int) -> int:
    """Give the proportional set size of a process in bytes; 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def check_samples(samples: Sequence[Sample], rate: float, checks: Checks) -> None:
    size = len(samples) // PARTS
    middle, last = samples[size : 2 * size], samples[2 * size :]
    for name in samples[-1].keys() - {"seconds", "lag"}:
        before, after = of_all(middle, name), of_all(last, name)
        if name in CACHES:
            what, holds = "bounded", max(each[name] for each in samples) <= CACHES[name]
        else:
            what, holds = "flat", after <= before * (1 + MORE_MEMORY) + MORE_BYTES
        checks.check(
            f"the memory of {name} is {what}",
            holds,
            f"{of_all(samples[:size], name) / 2**20:.0f}, {before / 2**20:.0f},"
            f" {after / 2**20:.0f} MiB, medians of the three parts",
        )
    lags = [each["lag"] for each in (*middle, *last)]
    checks.check(
        "the lag is bounded",
        max(lags) <= LAG_SECONDS * rate,
        f"median {median(lags):.0f}, at most {max(lags):.0f} events",
    )


def of_all(samples: Iterable[Sample], name: str) -> float:
    return median(each.get(name, 0.0) for each in samples)


def check_tables(topic: str, index: Index, directory: Path, checks: Checks) -> None:
    files = export_all(index, directory / "exports")
    for what, rows in expected_exports(topic, Settings()).items():
        wrong = differing(what, files[what], rows)
        told = f"{len(rows)} rows, {len(wrong)} differ {wrong[:3] or ''}"
        checks.check(f"{what}: every row as the log demands", not wrong, told)


if __name__ == "__main__":
    sys.exit(main())
