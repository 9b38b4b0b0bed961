"""Publishing to a real broker: topics, every byte, timestamps, limits and outages."""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from producers.cli import produce
from streaming.errors import SourceError
from streaming.filelog import partition_of
from streaming.kafkasink import KafkaSink
from streaming.sinks import open_sink
from streaming.stack.stack import LocalStack
from streaming.topics import describe_topic, ensure_topic
from streaming.urls import KafkaUrl, LogUrl

UNREACHABLE = KafkaUrl(("127.0.0.1:1",), "articles")


@pytest.fixture
def topic(stack: LocalStack) -> KafkaUrl:
    url = LogUrl.parse(f"kafka://{stack.kafka}/produce-{uuid.uuid4().hex}")
    assert isinstance(url, KafkaUrl)
    return url


@pytest.fixture
def admin(stack: LocalStack) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=[stack.kafka])
    yield client
    client.close()


def read_all(url: KafkaUrl) -> list[ConsumerRecord]:
    """Everything in a topic, partition by partition."""
    consumer = KafkaConsumer(bootstrap_servers=list(url.servers), enable_auto_commit=False)
    try:
        found = []
        numbers = consumer.partitions_for_topic(url.topic) or set()
        for partition in sorted(TopicPartition(url.topic, number) for number in numbers):
            end = consumer.end_offsets([partition])[partition]
            consumer.assign([partition])
            consumer.seek_to_beginning(partition)
            deadline = time.monotonic() + 60
            while consumer.position(partition) < end:
                assert time.monotonic() < deadline, "the topic could not be read"
                for records in consumer.poll(timeout_ms=500).values():
                    found += records
        return found
    finally:
        consumer.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(produce, arguments)


def write_articles(path: Path, count: int, **fields: object) -> list[bytes]:
    lines = [
        orjson.dumps(
            {"article_id": f"a-{number}", "channel": "体育", "body": f"正文 {number}", **fields}
        )
        for number in range(count)
    ]
    path.write_bytes(b"\n".join(lines))
    return lines


def test_topics_are_created_to_keep_everything(topic: KafkaUrl) -> None:
    created = ensure_topic(topic, partitions=3)
    assert (created.created, created.partitions, created.doubts) == (True, 3, ())
    assert created.timestamps == "LogAppendTime"
    assert created.max_message_bytes > 16 * 1024 * 1024
    again = ensure_topic(topic)
    assert (again.created, again.partitions) == (False, 3)
    assert (described := describe_topic(topic)) is not None
    assert described.partitions == 3


def test_a_topic_that_is_otherwise_is_refused_or_doubted(topic: KafkaUrl) -> None:
    ensure_topic(topic, partitions=3, config={"retention.ms": "1000", "cleanup.policy": "compact"})
    with pytest.raises(SourceError, match="has 3 partitions"):
        ensure_topic(topic, partitions=4)
    with pytest.raises(SourceError, match="LogAppendTime, not CreateTime"):
        ensure_topic(topic, timestamps="CreateTime")
    doubts = " ".join(ensure_topic(topic, timestamps="CreateTime", strict=False).doubts)
    for word in ("compacted", "retention", "CreateTime"):
        assert word in doubts


def test_a_sink_keeps_every_byte_and_the_partition_of_the_key(topic: KafkaUrl) -> None:
    ensure_topic(topic, partitions=3)
    sent = [
        (f"键{number}".encode(), value, [("h", bytes([number])), ("h", b"")])
        for number, value in enumerate([b"", b"\0\xff", "正文😀".encode(), None, b"x" * 300_000])
    ]
    sink = open_sink(str(topic))
    for key, value, headers in sent:
        sink.send(key, value, headers)
    sink.send(None, b"no key")
    sink.flush()
    assert sink.acknowledged == len(sent) + 1
    sink.close()
    sink.close()
    found = {record.key: record for record in read_all(topic)}
    assert found[None].value == b"no key"
    for key, value, headers in sent:
        assert (found[key].value, list(found[key].headers)) == (value, headers)
        assert found[key].partition == partition_of(key, 3)


def test_a_message_of_nothing_but_headers_passes(topic: KafkaUrl) -> None:
    ensure_topic(topic)
    sink = KafkaSink(topic)
    sink.send(None, None, [("h", b"1"), ("null", None), ("h", b"2")])
    sink.send(None, b"after it")
    sink.close()
    first, second = sorted(read_all(topic), key=lambda record: record.value is not None)
    assert (first.key, first.value, second.value) == (None, None, b"after it")
    assert list(first.headers) == [("h", b"1"), ("null", b""), ("h", b"2")]


def test_the_largest_value_passes(topic: KafkaUrl) -> None:
    ensure_topic(topic)
    sink = KafkaSink(topic)
    sink.send(b"k", os.urandom(16 * 1024 * 1024))
    sink.close()
    assert sink.acknowledged == 1


def test_a_message_that_the_topic_refuses_is_an_error(topic: KafkaUrl) -> None:
    ensure_topic(topic, config={"max.message.bytes": "2000"})
    sink = KafkaSink(topic)
    sink.send(b"small", b"{}")
    sink.flush()
    sink.send(b"large", os.urandom(5_000))
    with pytest.raises(SourceError, match=r"max\.message\.bytes"):
        sink.flush()
    with pytest.raises(SourceError, match=topic.topic):
        sink.send(b"small", b"{}")
    assert sink.acknowledged == 1
    sink.close()


def test_a_message_larger_than_a_request_is_an_error_and_nothing_hangs(topic: KafkaUrl) -> None:
    ensure_topic(topic)
    sink = KafkaSink(topic)
    with pytest.raises(SourceError, match="larger than the topic takes"):
        sink.send(b"k", b"x" * (17 * 1024 * 1024))
    began = time.monotonic()
    sink.close()
    assert time.monotonic() - began < 10


def test_an_outage_is_told_within_seconds_with_the_address() -> None:
    for attempt in (ensure_topic, describe_topic, KafkaSink):
        began = time.monotonic()
        with pytest.raises(SourceError, match=r"127\.0\.0\.1:1/articles: no broker can be"):
            attempt(UNREACHABLE)
        assert time.monotonic() - began < 10


def test_a_missing_topic_is_not_created_by_writing(
    topic: KafkaUrl, admin: KafkaAdminClient
) -> None:
    assert describe_topic(topic) is None
    with pytest.raises(SourceError, match="no such topic"):
        KafkaSink(topic)
    assert topic.topic not in admin.list_topics()


@pytest.mark.usefixtures("no_settings")
def test_the_command_publishes_every_line_once(topic: KafkaUrl, tmp_path: Path) -> None:
    lines = write_articles(tmp_path / "a.jsonl", 2_000)
    began = time.time_ns() // 1_000_000
    arguments = ("--from", "a.jsonl", "--to", str(topic), "--partitions", "3")
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "published 2000 articles" in result.stderr
    records = read_all(topic)
    assert sorted(record.value for record in records) == sorted(lines)
    assert all(
        record.key.decode() == orjson.loads(record.value)["article_id"] for record in records
    )
    assert {record.partition for record in records} == {0, 1, 2}
    # LogAppendTime: the broker's clock, never back within a partition.
    assert {record.timestamp_type for record in records} == {1}
    for number in range(3):
        stamps = [record.timestamp for record in records if record.partition == number]
        assert stamps == sorted(stamps)
        assert stamps[0] >= began - 1_000


@pytest.mark.usefixtures("no_settings")
def test_the_command_keeps_publication_times(topic: KafkaUrl, tmp_path: Path) -> None:
    write_articles(tmp_path / "a.jsonl", 10, published_at="2003-10-20T03:38:00Z")
    arguments = ("--from", "a.jsonl", "--to", str(topic))
    assert run(*arguments, "--timestamps", "published").exit_code == 0
    records = read_all(topic)
    assert [record.timestamp for record in records] == [1066621080000] * 10
    doubted = run(*arguments)
    assert doubted.exit_code == 0
    assert "warning" in doubted.stderr
    assert "message.timestamp.type=CreateTime" in doubted.stderr


@pytest.mark.usefixtures("no_settings")
def test_the_command_refuses_publication_times_that_the_topic_would_drop(
    topic: KafkaUrl, tmp_path: Path
) -> None:
    write_articles(tmp_path / "a.jsonl", 1)
    ensure_topic(topic)
    result = run("--from", "a.jsonl", "--to", str(topic), "--timestamps", "published")
    assert isinstance(result.exception, SourceError)
    assert "use a new topic" in str(result.exception)
    assert read_all(topic) == []


@pytest.mark.usefixtures("no_settings")
def test_articles_dated_ahead_and_long_ago_pass(topic: KafkaUrl, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        {"id": year, "channel": "x", "body": "y", "published_at": f"{year}-01-01"}
        for year in (1969, 1971, 2099)
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    result = run("--from", str(path), "--to", str(topic), "--timestamps", "published")
    assert result.exit_code == 0, result.output
    stamps = sorted(record.timestamp for record in read_all(topic))
    assert stamps == [0, 31_507_200_000, 4_070_880_000_000]
