"""What is refused on a real topic comes back to it with every byte, and only when it should."""

import base64
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from streaming.filelog import LogRecord
from streaming.sinks import open_sink
from streaming.stack.stack import LocalStack
from streaming.topics import ensure_topic
from streaming.urls import KafkaUrl, LogUrl
from tests.integration.logs import exported, leitong, log_of

STORE = "sqlite:index.db"
LIMIT = ("--set", "events.max_bytes=2000")
ARTICLE = {"article_id": "long", "channel": "go", "body": "今日发布新版编译器，" * 100}
TWICE = (("trace", b"1"), ("trace", b"\xff\x00"), ("trace", b"1"), ("empty", b""))
CLOUD = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"message-1"),
    ("ce_source", b"/cms"),
    ("ce_type", b"cms.article.created"),
    ("ce_subject", b"from-the-cloud"),
    ("content-type", b"application/json"),
)
GOOD = (b"k", orjson.dumps({"channel": "go", "body": "短讯"}), CLOUD)
BAD: tuple[tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]], ...] = (
    (b"long", orjson.dumps(ARTICLE), TWICE),
    (b"\xff", b"{", TWICE),
    (None, b"\xff\xfe", ()),
    (None, None, (("h", b"1"),)),
    (b"k", None, (("ce_type", b"deleted"),)),
    (b"", b"", ()),
)


def content(record: LogRecord) -> tuple[Any, ...]:
    return record[4:]


def test_a_replay_on_kafka_keeps_every_byte_and_the_partition(
    stack: LocalStack, tmp_path: Path
) -> None:
    url = LogUrl.parse(f"kafka://{stack.kafka}/letters-{uuid.uuid4().hex[:8]}")
    assert isinstance(url, KafkaUrl)
    ensure_topic(url, partitions=3)
    sink = open_sink(url)
    for message in (GOOD, *BAD):
        sink.send(*message)
    sink.close()
    source = ("--source", str(url), "--store", STORE)
    run = ("run", *source, *LIMIT, "--until-caught-up")
    replay = ("dead-letters", "replay", "--store", STORE, "--set", f"query.source={url}")
    leitong(*run, directory=tmp_path)
    before = log_of(str(url))
    verdicts = exported("verdicts", STORE, tmp_path)
    assert [row["article_id"] for row in verdicts] == ["from-the-cloud"]
    first = exported("dead-letters", STORE, tmp_path)
    assert sorted(map(letter_content, first), key=repr) == sorted(BAD, key=repr)

    done = leitong(*replay, directory=tmp_path)
    assert done.stdout.startswith(f"1 dead letters sent to {url}\n5 still refused")
    done = leitong(*replay, "--even-refused", directory=tmp_path)
    assert done.stdout.startswith(f"5 dead letters sent to {url}\n1 skipped: sent before")
    assert exported("dead-letters", STORE, tmp_path) == first

    after = log_of(str(url))
    assert Counter(map(content, after)) == Counter([GOOD, *BAD, *BAD])
    assert {record[:6] for record in before} <= {record[:6] for record in after}
    for key, value, _ in BAD:
        places = [each.partition for each in after if (each.key, each.value) == (key, value)]
        assert len(places) == 2
        assert key is None or len(set(places)) == 1

    leitong(*run, directory=tmp_path)
    second = exported("dead-letters", STORE, tmp_path)
    assert Counter(map(letter_content, second)) == Counter([*BAD, *BAD])
    listed = leitong("dead-letters", "list", "--json", "--store", STORE, directory=tmp_path)
    rows = [orjson.loads(line) for line in listed.stdout.splitlines()]
    marked = {(row["partition"], row["offset"]) for row in rows if row["replayed"] is not None}
    assert marked == {(row["partition"], row["offset"]) for row in first}
    assert {row["replayed"]["to"] for row in rows if row["replayed"]} == {str(url)}


def letter_content(row: dict[str, Any]) -> tuple[Any, ...]:
    key, value = (
        None if row[name] is None else base64.b64decode(row[name])
        for name in ("key_base64", "value_base64")
    )
    headers = tuple(
        (each["key"], base64.b64decode(each["value_base64"])) for each in row["headers"]
    )
    return key, value, headers
