"""What a producer hands to a log: one record, before it has an offset."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as a producer sees it.

    ``timestamp_ms`` counts from the Unix epoch; ``None`` leaves the stamp to the log.
    ``value`` ``None`` is a tombstone. Nothing here promises that the value is JSON or UTF-8.
    """

    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None
    headers: tuple[tuple[str, bytes], ...] = ()
