"""The format of a file log, and how it is read; see `streaming.filelog` for its layout."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from streaming.errors import SourceError
from streaming.urls import check_topic

DESCRIPTION = "_log.json"
"""Name of the file that describes a log."""

_OFFSET_DIGITS = 20
_NEWLINE = b"\n"
# Some readers end lines at these too; JSON may carry them escaped, and then nobody does.
_LINE_ENDS = (
    (b"\xc2\x85", b"\\u0085"),
    (b"\xe2\x80\xa8", b"\\u2028"),
    (b"\xe2\x80\xa9", b"\\u2029"),
)


class LogRecord(NamedTuple):
    """One record of a log, with its place. `timestamp_ms` is milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class LogDescription:
    """What stays the same for the life of a file log."""

    topic: str
    partitions: int


def encode_record(record: LogRecord) -> bytes:
    """Return a record as one line without its end; `decode_record` gives it back exactly."""
    document: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp_ms,
        "key": None,
    }
    _put(document, "key", record.key)
    _put(document, "value", record.value)
    document["headers"] = [
        {"key": key, "value_base64": None if value is None else _base64(value)}
        for key, value in record.headers
    ]
    line = orjson.dumps(document)
    for raw, escaped in _LINE_ENDS:
        if raw in line:
            line = line.replace(raw, escaped)
    return line


def decode_record(line: bytes) -> LogRecord:
    """Read a line of a segment; raises ValueError, KeyError or TypeError if it is damaged."""
    document = orjson.loads(line)
    return LogRecord(
        document["topic"],
        document["partition"],
        document["offset"],
        document["timestamp"],
        _get(document, "key"),
        _get(document, "value"),
        tuple(
            (
                header["key"],
                None
                if header["value_base64"] is None
                else base64.b64decode(header["value_base64"], validate=True),
            )
            for header in document["headers"]
        ),
    )


def describe_log(directory: str | Path) -> LogDescription | None:
    """Return what a directory says about its log, None if there is no log (yet).

    Raises SourceError when the description is there and cannot be read.
    """
    path = Path(directory) / DESCRIPTION
    try:
        document = orjson.loads(path.read_bytes())
        return LogDescription(check_topic(document["topic"]), int(document["partitions"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"{path}: is not the description of a file log; restore it as "
            '{"topic": "articles", "partitions": 4} with the values of this log'
        ) from error


def segments(directory: str | Path, partition: int) -> list[Path]:
    """Return the segments of one partition in order of offset."""
    description = describe_log(directory)
    if description is None:
        return []
    name = _segment_pattern(description.topic)
    found = []
    for path in Path(directory).iterdir():
        match = name.fullmatch(path.name)
        if match is not None and int(match["partition"]) == partition:
            found.append(path)
    # Offsets have a fixed width, so names sort like offsets.
    return sorted(found, key=lambda path: path.name)


def end_offsets(directory: str | Path) -> dict[int, int]:
    """Return the offset after the last record of each partition; empty if there is no log."""
    description = describe_log(directory)
    ends = {}
    for partition in range(description.partitions if description else 0):
        last = segments(directory, partition)[-1:]
        ends[partition] = sum(first_offset(p) + p.read_bytes().count(b"\n") for p in last)
    return ends


def read_records(
    directory: str | Path, partition: int | None = None, start_offset: int = 0
) -> Iterator[LogRecord]:
    """Yield the records of a file log, partition after partition, each in order of offset.

    Of one partition only if `partition` is given, from `start_offset` on. Records that are
    put in place meanwhile may or may not be seen. Raises SourceError, with file and line,
    for a line that is no record, and for a segment that is missing between others.
    """
    description = describe_log(directory)
    if description is None:
        raise SourceError(f"{directory}: is not a file log; create one with 'leitong produce'")
    chosen = range(description.partitions) if partition is None else (partition,)
    for each in chosen:
        expected: int | None = None
        for path in segments(directory, each):
            first = first_offset(path)
            if expected is not None and first != expected:
                raise SourceError(
                    f"{path}: follows offset {expected - 1} of partition {each}, so the records "
                    f"from {expected} to {first - 1} are missing; restore their segment"
                )
            expected = first
            for record in read_segment(path, description.topic, each):
                expected = record.offset + 1
                if record.offset >= start_offset:
                    yield record


def segment_name(topic: str, partition: int, first_offset: int) -> str:
    """Return the file name of a segment."""
    return f"{topic}-{partition}-{first_offset:0{_OFFSET_DIGITS}d}.jsonl"


def first_offset(segment: Path) -> int:
    """Return the offset of the first record of a segment, from its name."""
    return int(segment.stem[-_OFFSET_DIGITS:])


def read_segment(path: Path, topic: str, partition: int) -> Iterator[LogRecord]:
    """Yield the records of one segment; SourceError, with the line, where it is damaged."""
    first = first_offset(path)
    content = path.read_bytes()
    if content and not content.endswith(_NEWLINE):
        lines = content.count(_NEWLINE) + 1
        raise SourceError(f"{path}, line {lines}: the line does not end; restore the segment")
    for number, line in enumerate(content.split(_NEWLINE)[:-1], 1):
        try:
            record = decode_record(line)
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"{path}, line {number}: is not a record of a file log; restore the segment"
            ) from error
        expected = (topic, partition, first + number - 1)
        if record[:3] != expected:
            raise SourceError(
                f"{path}, line {number}: holds the record {_place(record)} where "
                f"{_place(expected)} belongs; restore the segment"
            )
        yield record


def _place(record: tuple[Any, ...]) -> str:
    return "{}/{}/{}".format(*record[:3])


def _segment_pattern(topic: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(topic)}-(?P<partition>[0-9]+)-[0-9]{{{_OFFSET_DIGITS}}}\.jsonl")


def _put(document: dict[str, Any], name: str, content: bytes | None) -> None:
    if content is None:
        document[name] = None
        return
    try:
        document[name] = content.decode("utf-8")
    except UnicodeDecodeError:
        document[f"{name}_base64"] = _base64(content)


def _get(document: dict[str, Any], name: str) -> bytes | None:
    encoded = document.get(f"{name}_base64")
    if encoded is not None:
        return base64.b64decode(encoded, validate=True)
    text = document[name]
    return None if text is None else text.encode("utf-8")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
