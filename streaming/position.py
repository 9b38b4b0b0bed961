"""Where an event stands in the log: the only comparator that Leitong has.

A position is ``(timestamp_ms, topic, partition, offset)`` encoded so that bytes sort
like the tuple: the timestamp as an unsigned 64-bit integer shifted by 2**63 (Kafka
reports -1 where a record has none), the topic closed by a NUL, which no topic name may
hold, then partition and offset, all big-endian. Everything that compares, stores or
scans positions uses the bytes; `decode` is for people.
"""

from struct import Struct
from typing import NamedTuple, NewType

from streaming.times import write_time

Position = NewType("Position", bytes)
"""An encoded position. Compare with ``<``; never build one but through `encode`."""

_SHIFT = 1 << 63
_TIME = Struct(">Q")
_PLACE = Struct(">IQ")


class Coordinates(NamedTuple):
    """A decoded position; sorts as its encoding does."""

    timestamp_ms: int
    topic: str
    partition: int
    offset: int

    def sortable(self) -> str:
        """Text that sorts like the position for topics of one length: ISO 8601, then the place."""
        return (
            f"{write_time(self.timestamp_ms)}/{self.topic}/{self.partition:05d}/{self.offset:020d}"
        )


def encode(timestamp_ms: int, topic: str, partition: int, offset: int) -> Position:
    """Encode one position; ``timestamp_ms`` is epoch milliseconds, negative ones included."""
    return Position(
        _TIME.pack(timestamp_ms + _SHIFT) + topic.encode() + b"\0" + _PLACE.pack(partition, offset)
    )


def decode(position: bytes) -> Coordinates:
    """Give the tuple back from its encoding."""
    (shifted,) = _TIME.unpack_from(position)
    end = position.index(0, _TIME.size)
    partition, offset = _PLACE.unpack_from(position, end + 1)
    return Coordinates(shifted - _SHIFT, position[_TIME.size : end].decode(), partition, offset)


def timestamp_ms(position: bytes) -> int:
    """Epoch milliseconds of a position."""
    return int.from_bytes(position[: _TIME.size]) - _SHIFT


def at(moment_ms: int) -> bytes:
    """Give the smallest bytes of all positions stamped at or after ``moment_ms``.

    Used as an inclusive lower bound (``at(t)``) or, for "up to and including t", as the
    exclusive upper bound ``at(t + 1)``. It is a bound, not a position. Times before or
    after what the encoding can hold are clamped.
    """
    return _TIME.pack(min(max(moment_ms + _SHIFT, 0), (1 << 64) - 1))


def split_entry(entry: bytes) -> tuple[Position, bytes]:
    """Split ``position · rest`` (an index entry: the rest is an article id) into its parts."""
    end = entry.index(0, _TIME.size) + 1 + _PLACE.size
    return Position(entry[:end]), entry[end:]
