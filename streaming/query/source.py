"""The log as a stream: Kafka or a file log, with the same columns.

``topic STRING, partition INT, offset BIGINT, timestamp_ms BIGINT, key BINARY, value
BINARY, headers ARRAY<STRUCT<key STRING, value BINARY>>``. Nothing after this module knows
which of the two it was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.streaming.readwriter import DataStreamReader

import schemas
from streaming.errors import SourceError
from streaming.filelog import MAX_VALUE_BYTES, SEGMENT_RECORDS, describe_log
from streaming.settings import Settings
from streaming.topics import Topic, describe_topic
from streaming.urls import FileUrl, KafkaUrl, LogUrl

COLUMNS = ("topic", "partition", "offset", "timestamp_ms", "key", "value", "headers")
Reader = DataFrameReader | DataStreamReader

_FOREVER = "365000d"
_EARLIEST = -2  # what Spark calls the beginning of a partition


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a log that is read; an open end is not bounded.

    ``from_offsets`` and ``to_offsets`` map partitions to offsets, the former inclusive,
    the latter exclusive; partitions that are not named are read whole. Times are epoch
    milliseconds of the log's timestamps, likewise inclusive and exclusive.
    """

    from_offsets: Mapping[int, int] | None = None
    from_ms: int | None = None
    to_offsets: Mapping[int, int] | None = None
    to_ms: int | None = None


WHOLE = Span()


def open_source(spark: SparkSession, settings: Settings, span: Span = WHOLE) -> DataFrame:
    """Open the configured log as a streaming frame that begins where ``span`` does.

    A checkpoint, where there is one, wins over the beginning of the span.
    """
    return _open(spark.readStream, settings, span)


def read_source(spark: SparkSession, settings: Settings, span: Span = WHOLE) -> DataFrame:
    """Give what the configured log holds of ``span`` now, as a frame for a batch job."""
    return _open(spark.read, settings, span)


def check_source(settings: Settings) -> None:
    """Raise SourceError, within seconds, if there is no such log or its broker is away."""
    url = LogUrl.parse(settings.query.source)
    if isinstance(url, KafkaUrl):
        _topic(url, settings)
    else:
        _check_directory(url)


def _open(reader: Reader, settings: Settings, span: Span) -> DataFrame:
    url = LogUrl.parse(settings.query.source)
    frame = (
        _kafka(reader, url, settings, span)
        if isinstance(url, KafkaUrl)
        else _file(reader, url, settings)
    )
    for bound in _bounds(span):
        frame = frame.where(bound)
    return frame


def read_offsets(file: Path) -> dict[int, int]:
    """Read ``{"0": 1200, "1": 1187}``, or the same under the topic's name as Spark writes it."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if len(document) == 1 and isinstance(next(iter(document.values())), dict):
            document = next(iter(document.values()))
        return {int(partition): int(offset) for partition, offset in document.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SourceError(
            f'{file}: no offsets in there ({error}); write {{"PARTITION": OFFSET, ...}} as JSON'
        ) from None


def _kafka(reader: Reader, url: KafkaUrl, settings: Settings, span: Span) -> DataFrame:
    reader = (
        reader.format("kafka")
        .option("kafka.bootstrap.servers", url.bootstrap)
        .option("subscribe", url.topic)
        .option("includeHeaders", "true")
        .option("failOnDataLoss", "true")
    )
    if isinstance(reader, DataStreamReader):
        reader = reader.option("maxOffsetsPerTrigger", settings.query.max_batch)
    if span.from_ms is not None:
        # A partition without a record that late is read from its end, so it adds nothing.
        reader = reader.option("startingTimestamp", str(span.from_ms)).option(
            "startingOffsetsByTimestampStrategy", "latest"
        )
    else:
        reader = reader.option("startingOffsets", _starting_offsets(url, settings, span))
    for name, value in settings.kafka.items():
        reader = reader.option(f"kafka.{name}", value)
    return reader.load().select(
        "topic",
        "partition",
        "offset",
        f.unix_millis("timestamp").alias("timestamp_ms"),
        "key",
        "value",
        "headers",
    )


def _starting_offsets(url: KafkaUrl, settings: Settings, span: Span) -> str:
    if span.from_offsets is None:
        return "earliest"
    partitions = range(_topic(url, settings).partitions)
    # Spark wants every partition named.
    offsets = {str(number): span.from_offsets.get(number, _EARLIEST) for number in partitions}
    return json.dumps({url.topic: offsets})


def _topic(url: KafkaUrl, settings: Settings) -> Topic:
    topic = describe_topic(url, settings.kafka)
    if topic is None:
        raise SourceError(f"{url}: there is no such topic; leitong produce --to {url} makes it")
    return topic


def _check_directory(url: FileUrl) -> None:
    if describe_log(url.directory) is None:
        raise SourceError(
            f"{url.directory}: no file log there; write one with leitong produce --to {url}"
        )


def _file(reader: Reader, url: FileUrl, settings: Settings) -> DataFrame:
    _check_directory(url)
    reader = (
        reader.schema(schemas.columns("log-record"))
        .option("pathGlobFilter", "*.jsonl")
        .option("lineSep", "\n")
        .option("mode", "FAILFAST")
        # The largest value of the log in base64 is longer than what Spark takes by itself.
        .option("maxStringLen", 2 * MAX_VALUE_BYTES)
    )
    if isinstance(reader, DataStreamReader):
        # Segments are read once each, however old they are beside the newest.
        reader = reader.option("maxFileAge", _FOREVER).option(
            "maxFilesPerTrigger", max(1, settings.query.max_batch // SEGMENT_RECORDS)
        )
    return reader.json(str(url.directory)).select(
        "topic",
        "partition",
        "offset",
        f.col("timestamp").alias("timestamp_ms"),
        _bytes("key"),
        _bytes("value"),
        f.transform(
            "headers",
            lambda header: f.struct(
                header["key"].alias("key"), f.unbase64(header["value_base64"]).alias("value")
            ),
        ).alias("headers"),
    )


def _bytes(name: str) -> Column:
    return f.coalesce(f.unbase64(f.col(f"{name}_base64")), f.col(name).cast("binary")).alias(name)


def _bounds(span: Span) -> list[Column]:
    """Give the conditions of a span; of a partition that it does not name, everything is in it."""
    offset, partition, time = f.col("offset"), f.col("partition"), f.col("timestamp_ms")
    bounds = [
        (partition != number) | (offset >= limit)
        for number, limit in (span.from_offsets or {}).items()
    ]
    bounds += [
        (partition != number) | (offset < limit)
        for number, limit in (span.to_offsets or {}).items()
    ]
    if span.from_ms is not None:
        bounds.append(time >= span.from_ms)
    if span.to_ms is not None:
        bounds.append(time < span.to_ms)
    return bounds
