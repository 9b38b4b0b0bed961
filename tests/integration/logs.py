"""Fill a log, run the query over it in a process of its own, and say what must come out."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson
from kafka import KafkaConsumer, TopicPartition

from streaming.engine.events import Logged, became
from streaming.enrichment import Enricher
from streaming.events import Rejected
from streaming.exporting import Line, expected_verdicts
from streaming.filelog import LogRecord, read_records
from streaming.matching.reference import reference
from streaming.settings import Settings
from streaming.sinks import open_sink
from streaming.topics import ensure_topic
from streaming.urls import KafkaUrl, LogUrl
from tests.newsfeed import Message

TIMEOUT = 600


def publish(url: str, messages: Iterable[Message], partitions: int = 4) -> None:
    target = LogUrl.parse(url)
    if isinstance(target, KafkaUrl):
        ensure_topic(target, partitions=partitions)
    sink = open_sink(target, partitions=partitions)
    for message in messages:
        sink.send(message.key, message.value)
    sink.close()


def log_of(url: str) -> list[LogRecord]:
    """The log as it is: what was stamped, and where."""
    target = LogUrl.parse(url)
    if not isinstance(target, KafkaUrl):
        return list(read_records(target.directory))
    consumer = KafkaConsumer(
        bootstrap_servers=list(target.servers), enable_auto_commit=False, group_id=None
    )
    try:
        places = [
            TopicPartition(target.topic, p) for p in consumer.partitions_for_topic(target.topic)
        ]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        records = []
        while any(consumer.position(place) < ends[place] for place in places):
            for batch in consumer.poll(timeout_ms=1000, max_records=5000).values():
                records += [
                    LogRecord(
                        r.topic,
                        r.partition,
                        r.offset,
                        r.timestamp,
                        r.key,
                        r.value,
                        tuple(r.headers),
                    )
                    for r in batch
                ]
        return records
    finally:
        consumer.close()


def must_export(url: str, settings: Settings) -> dict[str, Line]:
    """What the reference says of the log, as the exported verdicts."""
    events = [
        became(answer) for _, answer in answers(url, settings) if not isinstance(answer, Rejected)
    ]
    return expected_verdicts(reference(events, settings.matching.rules()), settings.stories.sources)


def answers(url: str, settings: Settings) -> Iterator[tuple[LogRecord, Logged | Rejected]]:
    """What becomes of every record of the log before it reaches an index."""
    enricher, records = Enricher(settings), log_of(url)
    for begin in range(0, len(records), 500):
        chunk = records[begin : begin + 500]
        yield from zip(chunk, enricher.enrich(chunk), strict=True)


def leitong(
    *arguments: str, directory: Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would, in a directory of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "streaming", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"leitong {' '.join(arguments)}: {done.returncode}\n{done.stderr}")
    return done


def printed(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> str:
    """Run a command that has to end well, with this environment; gives what it prints."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait(ready: Callable[[], bool], query: subprocess.Popen[bytes], seconds: float = 600) -> None:
    """Wait for something that a running query does."""
    until = time.monotonic() + seconds
    while not ready():
        assert query.poll() is None, "the query has ended"
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.5)


def exported(what: str, store: str, directory: Path) -> list[Line]:
    target = directory / f"{what}.jsonl"
    leitong("export", what, "--store", store, "--to", str(target), directory=directory)
    return [orjson.loads(line) for line in target.read_bytes().splitlines()]


def differences(lines: Sequence[Line], expected: dict[str, Line]) -> list[str]:
    """Articles whose exported row is not the expected one."""
    found = {line["article_id"]: line for line in lines}
    return [
        name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)
    ]
