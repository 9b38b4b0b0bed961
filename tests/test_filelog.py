"""A file log keeps what it was given, in order, whoever reads it and however it ended."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kafka.partitioner import murmur2
from pyspark.sql import SparkSession

import schemas
from streaming.errors import SourceError
from streaming.filelog import (
    MAX_VALUE_BYTES,
    FileLogWriter,
    LogDescription,
    LogRecord,
    describe_log,
    partition_of,
    read_records,
)
from streaming.logformat import decode_record, encode_record, segments

HOSTILE = [
    b"",
    b"{}",
    "正文😀𠮷".encode(),
    b'"quotes" \\ and \\u0041',
    b"\0",
    b"a\0b",
    b"\r\n line \n ends \r",
    "\u2028\u2029\u0085\x0b\x0c\x1c".encode(),
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf{}",
    "\ufffe\uffff\U0010ffff".encode(),
    bytes(range(256)),
    bytes(range(128)),
    b" \t ",
    b"\x7f\x80",
    "标题".encode("gb18030"),
    "a\u0301".encode(),
    b'{"body": "\\ud800"}',
    b"null",
    b"=",
]


class Clock:
    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def fill(directory: Path, count: int, partitions: int, segment_records: int = 250) -> None:
    with FileLogWriter(
        directory, partitions=partitions, segment_records=segment_records, clock=Clock()
    ) as writer:
        for number in range(count):
            writer.append(str(number).encode(), b"{}")


RECORDS = st.builds(
    LogRecord,
    topic=st.just("articles"),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    timestamp_ms=st.integers(0, 2**53),
    key=st.none() | st.binary() | st.text().map(str.encode),
    value=st.none() | st.binary() | st.text().map(str.encode) | st.sampled_from(HOSTILE),
    headers=st.lists(st.tuples(st.text(), st.none() | st.binary())).map(tuple),
)


@given(RECORDS)
def test_a_record_is_one_line_and_comes_back_exactly(record: LogRecord) -> None:
    line = encode_record(record)
    assert decode_record(line) == record
    assert len(line.decode().splitlines()) == 1
    assert b"\n" not in line
    assert list(schemas.violations("log-record", orjson.loads(line))) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    values=st.lists(st.none() | st.binary(max_size=20), max_size=40),
    keys=st.lists(st.none() | st.binary(max_size=4), min_size=40, max_size=40),
    partitions=st.integers(1, 5),
    segment_records=st.integers(1, 7),
    reopen_every=st.integers(1, 41),
)
def test_what_was_appended_is_read_in_order_however_often_it_was_reopened(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[bytes | None],
    keys: list[bytes | None],
    partitions: int,
    segment_records: int,
    reopen_every: int,
) -> None:
    directory = tmp_path_factory.mktemp("log")
    expected: dict[int, list[tuple[bytes | None, bytes | None]]] = {}

    def reopened() -> FileLogWriter:
        return FileLogWriter(directory, partitions=partitions, segment_records=segment_records)

    writer = reopened()
    for number, (key, value) in enumerate(zip(keys, values, strict=False), 1):
        partition, offset = writer.append(key, value)
        own = expected.setdefault(partition, [])
        assert offset == len(own)
        own.append((key, value))
        if number % reopen_every == 0:
            writer.close()
            writer = reopened()
    writer.close()
    for partition in range(partitions):
        found = list(read_records(directory, partition))
        assert [(each.key, each.value) for each in found] == expected.get(partition, [])
        assert [each.offset for each in found] == list(range(len(found)))
        for path in segments(directory, partition):
            assert 0 < len(path.read_bytes().splitlines()) <= segment_records


@given(st.binary(), st.integers(1, 100))
def test_keys_choose_partitions_as_kafka_does(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions


def test_known_partitions_of_the_java_client() -> None:
    # Values of org.apache.kafka.common.utils.Utils.murmur2, from Kafka's own tests.
    assert murmur2(b"21") == -973932308 & 0xFFFFFFFF
    assert partition_of(b"21", 4) == (-973932308 & 0x7FFFFFFF) % 4


def test_records_without_a_key_take_turns(tmp_path: Path) -> None:
    with FileLogWriter(tmp_path, partitions=3) as writer:
        placed = [writer.append(None, b"{}")[0] for _ in range(6)]
    assert placed == [0, 1, 2, 0, 1, 2]


def test_segments_hold_at_most_250_records_and_are_named_after_the_first(tmp_path: Path) -> None:
    fill(tmp_path, 600, partitions=1)
    assert [path.name for path in segments(tmp_path, 0)] == [
        "articles-0-00000000000000000000.jsonl",
        "articles-0-00000000000000000250.jsonl",
        "articles-0-00000000000000000500.jsonl",
    ]


def test_nothing_is_visible_before_its_segment_is_full_or_flushed(tmp_path: Path) -> None:
    with FileLogWriter(tmp_path, partitions=1, segment_records=3) as writer:
        seen = []
        for _ in range(4):
            writer.append(b"k", b"{}")
            seen.append((writer.durable, len(list(read_records(tmp_path)))))
        assert seen == [(0, 0), (0, 0), (3, 3), (3, 3)]
        writer.flush()
        assert (writer.durable, len(list(read_records(tmp_path)))) == (4, 4)


def test_segments_are_dated_in_the_order_of_the_log_to_the_millisecond(tmp_path: Path) -> None:
    fill(tmp_path, 50, partitions=1, segment_records=1)
    dates = [path.stat().st_mtime_ns // 1_000_000 for path in segments(tmp_path, 0)]
    assert dates == sorted(set(dates))
    with FileLogWriter(tmp_path, segment_records=1) as writer:
        writer.append(b"k", b"{}")
    assert segments(tmp_path, 0)[-1].stat().st_mtime_ns // 1_000_000 > dates[-1]


def test_stamps_never_go_back_in_a_partition(tmp_path: Path) -> None:
    clock = Clock(100.0)
    with FileLogWriter(tmp_path, partitions=1, clock=clock) as writer:
        writer.append(b"k", b"{}")
        clock.now = 99.0
        writer.append(b"k", b"{}")
        clock.now = 100.5
        writer.append(b"k", b"{}")
    clock.now = 50.0
    with FileLogWriter(tmp_path, clock=clock) as writer:
        writer.append(b"k", b"{}")
        writer.append(b"k", b"{}", timestamp_ms=7)
    stamps = [record.timestamp_ms for record in read_records(tmp_path)]
    assert stamps == [100_000, 100_000, 100_500, 100_500, 7]


def test_times_before_1970_and_values_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    with FileLogWriter(tmp_path) as writer:
        with pytest.raises(ValueError, match="1970"):
            writer.append(b"k", b"{}", timestamp_ms=-1)
        with pytest.raises(SourceError, match="more than"):
            writer.append(b"k", b"x" * (MAX_VALUE_BYTES + 1))
    assert list(read_records(tmp_path)) == []


def test_topic_and_partitions_are_fixed_when_the_log_is_created(tmp_path: Path) -> None:
    fill(tmp_path, 1, partitions=2)
    assert describe_log(tmp_path) == LogDescription("articles", 2)
    with pytest.raises(SourceError, match="created with 2 partitions"):
        FileLogWriter(tmp_path, partitions=3)
    with pytest.raises(SourceError, match="topic 'articles', not of 'verdicts'"):
        FileLogWriter(tmp_path, "verdicts")
    with FileLogWriter(tmp_path, "articles", 2) as writer:
        assert writer.partitions == 2


def _hold(
    directory: Path,
    ready: "multiprocessing.synchronize.Event",
    end: "multiprocessing.synchronize.Event",
) -> None:
    with FileLogWriter(directory):
        ready.set()
        end.wait(30)


def test_a_second_writer_is_told_who_has_the_log(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, end = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(tmp_path, ready, end))
    holder.start()
    try:
        assert ready.wait(30)
        with pytest.raises(SourceError, match=f"process {holder.pid}"):
            FileLogWriter(tmp_path)
    finally:
        end.set()
        holder.join(30)
    FileLogWriter(tmp_path).close()


def test_a_refused_opening_lets_go_of_the_log(tmp_path: Path) -> None:
    fill(tmp_path, 1, partitions=2)
    with pytest.raises(SourceError):
        FileLogWriter(tmp_path, partitions=3)
    FileLogWriter(tmp_path).close()


def test_a_crash_loses_only_what_was_not_in_place(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        writer = FileLogWriter(tmp_path, partitions=1, segment_records=2)
        for number in range(3):
            writer.append(b"k", b"%d" % number)
        (tmp_path / ".articles-0-00000000000000000002.jsonl").write_bytes(b'{"topic": "art')
        os._exit(0)
    os.waitpid(child, 0)
    assert [record.value for record in read_records(tmp_path)] == [b"0", b"1"]
    with FileLogWriter(tmp_path) as writer:
        assert writer.append(b"k", b"2") == (0, 2)
    assert [record.value for record in read_records(tmp_path)] == [b"0", b"1", b"2"]
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (lambda content: content[:-20], "line 3: the line does not end"),
        (lambda content: content.replace(b'"offset":1', b'"offset":5'), "line 2: holds the record"),
        (lambda content: content.replace(b'"topic"', b'"tropic"', 1), "line 1: is not a record"),
        (lambda content: b"\n" + content, "line 1: is not a record"),
    ],
)
def test_damage_is_named_with_file_and_line(tmp_path: Path, damage: object, place: str) -> None:
    assert callable(damage)
    fill(tmp_path, 3, partitions=1)
    segment = segments(tmp_path, 0)[0]
    segment.write_bytes(damage(segment.read_bytes()))
    for use in (lambda: list(read_records(tmp_path)), lambda: FileLogWriter(tmp_path)):
        with pytest.raises(SourceError) as raised:
            use()
        assert f"{segment}, {place}" in str(raised.value)


def test_a_missing_segment_is_noticed_a_missing_beginning_is_retention(tmp_path: Path) -> None:
    fill(tmp_path, 9, partitions=1, segment_records=3)
    first, second, _ = segments(tmp_path, 0)
    first.unlink()
    assert [record.offset for record in read_records(tmp_path)] == [3, 4, 5, 6, 7, 8]
    first.touch()  # the name is there, and the records are not
    second.unlink()
    with pytest.raises(SourceError, match="from 0 to 5 are missing"):
        list(read_records(tmp_path))


def test_reading_can_begin_at_an_offset_of_one_partition(tmp_path: Path) -> None:
    fill(tmp_path, 40, partitions=2, segment_records=4)
    found = list(read_records(tmp_path, 1, 5))
    assert {record.partition for record in found} == {1}
    assert found[0].offset == 5


def test_directories_that_are_no_log_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a file log"):
        list(read_records(tmp_path))
    (tmp_path / "mine.jsonl").write_bytes(b"{}\n")
    with pytest.raises(SourceError, match="a directory of its own"):
        FileLogWriter(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="cannot be written"):
        FileLogWriter(tmp_path / "file" / "log")
    (tmp_path / "_log.json").write_bytes(b"[]")
    with pytest.raises(SourceError, match="is not the description"):
        describe_log(tmp_path)


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    shared = SparkSession.getActiveSession()
    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    yield session
    if shared is None:
        session.stop()


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # PySpark's
def test_spark_reads_the_same_bytes(tmp_path: Path, spark: SparkSession) -> None:
    with FileLogWriter(tmp_path, partitions=2, segment_records=5) as writer:
        for value in [*HOSTILE, None]:
            writer.append(value, value, [("trace", value), ("", b"\xff")])
        # The longest value: Spark's reader must be told that strings may be so long.
        writer.append(b"longest", b"\xff" * MAX_VALUE_BYTES)
    (tmp_path / ".articles-0-00000000000000009999.jsonl").write_bytes(b"half a segm")
    rows = (
        spark.read.schema(schemas.columns("log-record"))
        .option("lineSep", "\n")
        .option("mode", "FAILFAST")
        .option("maxStringLen", 2 * MAX_VALUE_BYTES)
        .json(str(tmp_path))
        .selectExpr(
            "topic",
            "partition",
            "offset",
            "timestamp",
            "coalesce(unbase64(key_base64), encode(key, 'UTF-8')) AS key",
            "coalesce(unbase64(value_base64), encode(value, 'UTF-8')) AS value",
            "transform(headers, h -> struct(h.key, unbase64(h.value_base64) AS value)) AS headers",
        )
        .collect()
    )
    found = {
        LogRecord(
            row.topic,
            row.partition,
            row.offset,
            row.timestamp,
            _bytes(row.key),
            _bytes(row.value),
            tuple((header.key, _bytes(header.value)) for header in row.headers),
        )
        for row in rows
    }
    assert len(rows) == len(HOSTILE) + 2
    assert found == set(read_records(tmp_path))


def _bytes(value: bytearray | None) -> bytes | None:
    return None if value is None else bytes(value)
