"""Make what a version leaves behind: logs, indexes, checkpoints, verdicts and schemas.

Run by the code of that version, with a broker of its own; see test_upgrades.py for what
becomes of it:

    python tests/upgrades/make.py HOST:PORT DIRECTORY
"""

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import schemas
from streaming.filelog import FileLogWriter, LogRecord, read_records
from streaming.sinks import open_sink
from streaming.topics import ensure_topic
from streaming.urls import KafkaUrl, LogUrl
from tests.newsfeed import simulated

TOPIC = "upgraded-articles"
EVENTS, JUDGED = 160, 120
BEGIN_MS, APART_MS = 1_767_571_200_000, 60_000


def main() -> None:
    broker, directory = sys.argv[1], Path(sys.argv[2])
    directory.mkdir(parents=True)
    events = simulated(EVENTS, seed=11)
    for part, (begin, end) in zip(("before", "after"), pairwise((0, JUDGED, EVENTS)), strict=True):
        # The offsets of what comes later go on from those of what was there.
        with FileLogWriter(directory / "log", TOPIC, 1) as log:
            for number in range(begin, end):
                key, value = events[number]
                log.append(key, value, (), BEGIN_MS + number * APART_MS)
        if part == "before":
            kafka = f"kafka://{broker}/{TOPIC}"
            publish(kafka, list(read_records(directory / "log")))
            for source, name in ((f"file:{directory / 'log'}", "file"), (kafka, "kafka")):
                leave(directory, source, name)
    for name in schemas.NAMES:
        shutil.copyfile(Path(schemas.__file__).parent / f"{name}.json", directory / f"{name}.json")


def publish(url: str, records: list[LogRecord]) -> None:
    """Publish records as they stand in the file log, with their times; on one partition."""
    target = LogUrl.parse(url)
    assert isinstance(target, KafkaUrl)
    ensure_topic(target, partitions=1, timestamps="CreateTime")
    sink = open_sink(target)
    for record in records:
        sink.send(record.key, record.value, record.headers, record.timestamp_ms)
    sink.close()


def leave(directory: Path, source: str, name: str) -> None:
    """Judge what is in the log, in batches."""
    run = [sys.executable, "-m", "streaming", "run", "--until-caught-up", "--max-batch", "60"]
    places = ["--store", f"sqlite:{name}.db", "--checkpoint", f"checkpoint.{name}"]
    subprocess.run([*run, "--source", source, *places], cwd=directory, check=True)


if __name__ == "__main__":
    main()
