"""One query per index, and what happens where that is not so."""

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streaming.engine.events import became
from streaming.exporting import expected_verdicts
from streaming.matching.reference import reference
from streaming.reasons import Rejected
from streaming.settings import Settings
from streaming.stack.stack import LocalStack
from tests.integration.logs import answers, differences, exported, leitong, publish
from tests.newsfeed import messages


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    directory.mkdir(exist_ok=True)
    with (directory / "query.log").open("wb") as told:
        query = subprocess.Popen(
            [sys.executable, "-m", "streaming", "run", *arguments], cwd=directory, stderr=told
        )
        try:
            yield query
        finally:
            query.send_signal(signal.SIGTERM)
            query.wait(timeout=120)


def test_a_second_query_is_refused_and_a_dead_one_taken_over(tmp_path: Path) -> None:
    log, store = tmp_path / "log", f"sqlite:{tmp_path / 'index.db'}"
    publish(f"file:{log}", messages(60))
    options = ("--source", f"file:{log}", "--store", store)
    with running(tmp_path / "first", *options, "--trigger", "500ms") as first:
        wait_for(tmp_path / "first", "batch 0:")
        (tmp_path / "second").mkdir()
        second = leitong(
            "run", *options, "--until-caught-up", directory=tmp_path / "second", check=False
        )
        assert second.returncode == 1
        assert f"in use by process {first.pid}" in second.stderr
        assert "Traceback" not in second.stderr
        first.kill()
        first.wait()
        # Its process is known to be gone: nobody waits for its lease.
        leitong("run", *options, "--until-caught-up", directory=tmp_path / "first")
    assert len(exported("verdicts", store, tmp_path)) == 60


def test_two_queries_forced_onto_one_index_miss_no_pair(stack: LocalStack, tmp_path: Path) -> None:
    """Both have half of the articles, and half of the copies of what the other one has."""
    store = f"hbase://{stack.hbase}/both-{uuid.uuid4().hex[:6]}?regions=2"
    mixed = messages(1_200)
    topics = [f"kafka://{stack.kafka}/half-{n}-{uuid.uuid4().hex[:6]}" for n in range(2)]
    for number, topic in enumerate(topics):
        publish(topic, mixed[number::2], partitions=2)
    queries = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "streaming", "run", "--source", topic, "--store", store),
                *("--until-caught-up", "--max-batch", "150", "--set", "query.lease=0"),
                *("--checkpoint", str(tmp_path / f"checkpoint-{number}")),
            ],
            cwd=tmp_path,
        )
        for number, topic in enumerate(topics)
    ]
    assert [query.wait(timeout=600) for query in queries] == [0, 0]
    settings = Settings()
    events = [
        became(answer)
        for topic in topics
        for _, answer in answers(topic, settings)
        if not isinstance(answer, Rejected)
    ]
    expected = expected_verdicts(reference(events, settings.matching.rules()))
    homes = [{m.key.decode() for m in mixed[number::2]} for number in range(2)]
    across = [
        name
        for name, line in expected.items()
        if line["duplicate_of"] and (name in homes[0]) != (line["duplicate_of"] in homes[0])
    ]
    assert len(across) > 10, "no pair lies across the two topics"
    assert differences(exported("verdicts", store, tmp_path), expected) == []


def wait_for(directory: Path, words: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while words not in (directory / "query.log").read_text():
        assert time.monotonic() < deadline, (directory / "query.log").read_text()
        time.sleep(0.3)
