"""Both logs give the same columns, and a span cuts them alike."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from streaming.errors import SourceError
from streaming.filelog import FileLogWriter
from streaming.query.source import COLUMNS, Span, open_source, read_offsets
from streaming.settings import Settings, load

HOSTILE = [b'{"a": "\xe2\x80\xa8\\u0000"}', b"\xff\xfe\x00", b"", None, "𠀀😀\r\n".encode()]


def settings(directory: Path) -> Settings:
    source = ("query.source", f"file:{directory / 'log'}", "test")
    return load(overrides=[source, ("query.max_batch", "1", "test")], environment={}).settings


@pytest.fixture
def log(tmp_path: Path) -> Path:
    with FileLogWriter(tmp_path / "log", partitions=2, segment_records=3) as writer:
        for number in range(20):
            key = None if number == 7 else str(number).encode()
            headers = [("h", bytes([number])), ("h", b"")]
            writer.append(key, HOSTILE[number % len(HOSTILE)], headers, 1_000 + number)
    return tmp_path


def read(frame: DataFrame, directory: Path) -> list[Any]:
    """Everything there is, over as many batches as it takes."""
    rows: list[Any] = []
    query = (
        frame.writeStream.foreachBatch(lambda batch, _: rows.extend(batch.collect()))
        .option("checkpointLocation", str(directory / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    return sorted(rows, key=lambda row: row["timestamp_ms"])


def test_every_byte_of_a_file_log_arrives(spark: SparkSession, log: Path) -> None:
    rows = read(open_source(spark, settings(log)), log)
    assert tuple(rows[0].asDict()) == COLUMNS
    assert [row["timestamp_ms"] for row in rows] == list(range(1_000, 1_020))
    assert [row["value"] and bytes(row["value"]) for row in rows] == [
        HOSTILE[number % len(HOSTILE)] for number in range(20)
    ]
    assert rows[7]["key"] is None
    assert bytes(rows[3]["key"]) == b"3"
    assert [(h["key"], bytes(h["value"])) for h in rows[3]["headers"]] == [("h", b"\3"), ("h", b"")]
    places = {(row["partition"], row["offset"]) for row in rows}
    assert len(places) == 20
    assert {partition for partition, _ in places} == {0, 1}


@pytest.mark.parametrize(
    ("span", "inside"),
    [
        (Span(from_ms=1_005, to_ms=1_010), lambda row: 1_005 <= row["timestamp_ms"] < 1_010),
        (Span(from_offsets={0: 2, 1: 5}), lambda row: row["offset"] >= (2, 5)[row["partition"]]),
        (
            Span(from_offsets={0: 3}, to_offsets={0: 4, 1: 1}),
            lambda row: (row["partition"], row["offset"]) in {(0, 3), (1, 0)},
        ),
    ],
)
def test_a_span_cuts_by_offset_and_by_time(
    spark: SparkSession, log: Path, span: Span, inside: Any
) -> None:
    whole = read(open_source(spark, settings(log)), log / "whole")
    part = read(open_source(spark, settings(log), span), log / "part")
    assert part == [row for row in whole if inside(row)]
    assert 0 < len(part) < len(whole)


def test_a_log_that_is_not_there_is_told(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file log there; write one with leitong produce"):
        open_source(spark, settings(tmp_path))


def test_offsets_are_read_as_written_by_hand_or_by_spark(tmp_path: Path) -> None:
    file = tmp_path / "offsets.json"
    file.write_text('{"0": 12, "3": 4}')
    assert read_offsets(file) == {0: 12, 3: 4}
    file.write_text('{"articles": {"0": 12}}')
    assert read_offsets(file) == {0: 12}
    for wrong in ("[]", "nonsense", '{"a": 1}'):
        file.write_text(wrong)
        with pytest.raises(SourceError, match="no offsets in there"):
            read_offsets(file)
