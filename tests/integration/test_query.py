"""The main job on the real thing: Kafka to Spark to HBase, and the embedded default."""

import base64
import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer

from streaming.matching.verdict import REPEATS
from streaming.settings import Settings, load
from streaming.stack.stack import LocalStack
from tests.integration.logs import (
    differences,
    exported,
    leitong,
    must_export,
    publish,
)
from tests.newsfeed import Message, messages

ARTICLES = 2_000

CRASHING_RUN = """
import os, signal, sys
from streaming.query.run import RunOptions, run
from streaming.settings import load

moment, *assignments = sys.argv[1:]
settings = load(overrides=[(*each.split("=", 1), "test") for each in assignments]).settings

def reached(name):
    if name == moment:
        os.kill(os.getpid(), signal.SIGKILL)

run(settings, RunOptions(until_caught_up=True), reached)
"""


@pytest.fixture(scope="module")
def topic(stack: LocalStack) -> str:
    """A topic of four partitions with real articles; about one in ten a near-duplicate."""
    url = f"kafka://{stack.kafka}/articles-{uuid.uuid4().hex[:8]}"
    publish(url, messages(ARTICLES))
    return url


@pytest.fixture(scope="module")
def expected(topic: str) -> dict[str, dict[str, object]]:
    lines = must_export(topic, Settings())
    assert sum(line["duplicate_of"] is not None for line in lines.values()) > ARTICLES // 50
    return lines


def hbase(stack: LocalStack, name: str) -> str:
    return f"hbase://{stack.hbase}/{name}-{uuid.uuid4().hex[:6]}?regions=2"


@pytest.mark.parametrize("size", [500, 5_000])
def test_kafka_to_hbase_gives_what_the_reference_gives(
    topic: str, expected: dict[str, dict[str, object]], stack: LocalStack, size: int, tmp_path: Path
) -> None:
    store = hbase(stack, f"size{size}")
    run = ("run", "--source", topic, "--store", store, "--until-caught-up")
    leitong(*run, "--max-batch", str(size), directory=tmp_path)
    assert differences(exported("verdicts", store, tmp_path), expected) == []
    statistics = exported("statistics", store, tmp_path)
    assert sum(row["articles"] for row in statistics) == len(expected)
    repeats = sum(row["articles"] for row in statistics if row["relation"] in REPEATS)
    assert repeats == sum(line["duplicate_of"] is not None for line in expected.values())


def test_kafka_to_sqlite_gives_what_the_reference_gives(
    topic: str, expected: dict[str, dict[str, object]], tmp_path: Path
) -> None:
    store = "sqlite:index.db"
    leitong("run", "--source", topic, "--store", store, "--until-caught-up", directory=tmp_path)
    before = (exported("verdicts", store, tmp_path), exported("statistics", store, tmp_path))
    assert differences(before[0], expected) == []
    offsets = tmp_path / "offsets.json"
    offsets.write_text(json.dumps({str(p): 100 for p in range(4)}))
    span = ("--from-offsets", str(offsets))
    leitong("replay", *span, "--source", topic, "--store", store, directory=tmp_path)
    after = (exported("verdicts", store, tmp_path), exported("statistics", store, tmp_path))
    assert after == before, "a warm replay changed the tables"


@pytest.mark.parametrize("moment", ["put", "judged"])
def test_a_driver_killed_in_a_batch_loses_nothing(
    topic: str,
    expected: dict[str, dict[str, object]],
    stack: LocalStack,
    moment: str,
    tmp_path: Path,
) -> None:
    store = hbase(stack, moment)
    settings = (
        f"query.source={topic}",
        f"store.url={store}",
        "query.max_batch=800",
        "query.checkpoint=checkpoint",
    )
    killed = subprocess.run(
        [sys.executable, "-c", CRASHING_RUN, moment, *settings],
        cwd=tmp_path,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    run = ("run", "--source", topic, "--store", store, "--max-batch", "800", "--until-caught-up")
    leitong(*run, directory=tmp_path)
    assert differences(exported("verdicts", store, tmp_path), expected) == []


def bad_messages(limit: int) -> dict[str, list[Message]]:
    """Messages by the reason for which they must be refused."""
    article = {"article_id": "bad", "channel": "python", "title": "标题", "body": "正文"}

    def event(**changes: object) -> bytes:
        return json.dumps({**article, **changes}).encode()

    return {
        "not_json": [Message(b"1", b'{"article_id": "bad", "body": "cut o')],
        "not_utf8": [Message(b"2", '{"article_id": "坏"}'.encode("gb18030"))],
        "schema": [
            Message(b"3", event(channel=None)),
            Message(b"4", event(body=["text"])),
            Message(b"5", b"[]"),
            Message(b"6", event(published_at="yesterday")),
        ],
        "empty_text": [
            Message(b"7", event(title="", body=" ")),
            Message(b"8", event(title="", body="<p>&nbsp;</p><script>x()</script>")),
        ],
        "too_large": [Message(b"9", event(body="长" * limit))],
        "unknown_event": [Message(b"10", event(event="archived"))],
        "too_deep": [Message(b"11", b'{"a":' * 50_000 + b"1" + b"}" * 50_000)],
    }


def test_every_reason_reaches_the_dead_letters_with_its_bytes(
    stack: LocalStack, tmp_path: Path
) -> None:
    source = f"kafka://{stack.kafka}/mixed-{uuid.uuid4().hex[:8]}"
    letters = f"kafka://{stack.kafka}/letters-{uuid.uuid4().hex[:8]}"
    announced = f"kafka://{stack.kafka}/verdicts-{uuid.uuid4().hex[:8]}"
    limit = 600_000
    bad = bad_messages(limit)
    good = messages(100)
    publish(source, [*good[:50], *(each for group in bad.values() for each in group), *good[50:]])
    store = hbase(stack, "letters")
    done = leitong(
        "-v", "run", "--source", source, "--store", store, "--until-caught-up",
        "--set", f"events.max_bytes={limit}", "--dead-letters", letters, "--verdicts", announced,
        directory=tmp_path,
    )  # fmt: skip
    rows = exported("dead-letters", store, tmp_path)
    wanted = {(reason, each.value) for reason, group in bad.items() for each in group}
    assert {(r["reason"], base64.b64decode(r["value_base64"])) for r in rows} == wanted
    assert len(exported("verdicts", store, tmp_path)) == len(good)
    sent = consume(letters)
    assert {(dict(m.headers)["leitong.error.reason"].decode(), m.value) for m in sent} == wanted
    assert {(dict(m.headers)["leitong.error.offset"], m.key) for m in sent} == {
        (str(r["offset"]).encode(), base64.b64decode(r["key_base64"])) for r in rows
    }
    events = {m.key: json.loads(m.value) for m in consume(announced)}
    assert events.keys() == {message.key for message in good}
    for message in good:
        body = json.loads(message.value)["body"]
        middle = body[len(body) // 2 :][:20]
        assert len(middle) < 20 or middle not in done.stderr + done.stdout


def consume(url: str) -> list[Any]:
    server, topic = url.removeprefix("kafka://").split("/")
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=server,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_id=None,
        consumer_timeout_ms=3_000,
        max_partition_fetch_bytes=8_000_000,
    )
    try:
        return list(consumer)
    finally:
        consumer.close()


def test_an_outage_of_the_store_is_no_dead_letter(stack: LocalStack, tmp_path: Path) -> None:
    source = f"kafka://{stack.kafka}/outage-{uuid.uuid4().hex[:8]}"
    store = hbase(stack, "outage")
    early, late = messages(400)[:200], messages(400)[200:]
    settings = load(overrides=[("store.url", store, "test")]).settings
    publish(source, early)
    told = tmp_path / "query.log"
    run = ("run", "--source", source, "--store", f"{store}&deadline=3s", "--max-batch", "100")
    with told.open("wb") as errors:
        query = subprocess.Popen(
            [sys.executable, "-m", "streaming", *run, "--trigger", "500ms"],
            cwd=tmp_path,
            stderr=errors,
        )
    try:
        wait_for_articles(store, tmp_path, len(must_export(source, settings)))
        stack.kill("thrift")
        publish(source, late)
        wait_until(lambda: "failed and will be done again" in told.read_text())
        assert query.poll() is None, "an outage ended the query"
        stack.start("thrift")
        wait_for_articles(store, tmp_path, len(must_export(source, settings)))
    finally:
        query.send_signal(signal.SIGTERM)
        query.wait(timeout=120)
        stack.start("thrift")
    assert query.returncode == 0, told.read_text()
    assert "Traceback" not in told.read_text()
    assert exported("dead-letters", store, tmp_path) == []
    assert differences(exported("verdicts", store, tmp_path), must_export(source, settings)) == []


def wait_for_articles(store: str, directory: Path, count: int) -> None:
    def there() -> bool:
        done = leitong("export", "verdicts", "--store", store, directory=directory, check=False)
        return done.returncode == 0 and done.stdout.count("\n") == count

    wait_until(there)


def wait_until(true: Callable[[], bool], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.5)
