"""Dead letters: what a stage refused, with its reason and every byte of it.

They live in the ``dead_letter`` table, one row per position and stage, so that a batch
that runs again writes the same rows. A topic, if one is set, gets them as messages with
the original key and value and the rest as headers.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from streaming.position import Position, decode, split_entry
from streaming.store.contract import Cells, Mutation, Store

TABLE = "dead_letter"
HEADER_PREFIX = "leitong.error."

Headers = tuple[tuple[str, bytes | None], ...]

_KEY, _VALUE, _HEADERS, _REASON, _DETAIL = b"key", b"value", b"headers", b"reason", b"detail"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused record: where it stands, which stage refused it and why, and its bytes."""

    position: Position
    stage: str
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def row(self) -> bytes:
        """Its row key: sorts like the log."""
        return self.position + self.stage.encode()

    def fields(self) -> dict[str, Any]:
        """Give the fields of the dead-letter schema."""
        place = decode(self.position)
        return {
            "topic": place.topic,
            "partition": place.partition,
            "offset": place.offset,
            "timestamp": place.timestamp_ms,
            "stage": self.stage,
            "reason": self.reason,
            "detail": self.detail,
            "key_base64": _base64(self.key),
            "value_base64": _base64(self.value),
            "headers": [
                {"key": name, "value_base64": _base64(value)} for name, value in self.headers
            ],
        }

    def message_headers(self) -> list[tuple[str, bytes]]:
        """Give the headers of its message: the record's own, then where and why it failed.

        A header without a value keeps its name, with an empty one.
        """
        place = decode(self.position)
        own = {
            "topic": place.topic,
            "partition": place.partition,
            "offset": place.offset,
            "timestamp": place.timestamp_ms,
            "stage": self.stage,
            "reason": self.reason,
            "detail": self.detail,
        }
        return [(name, value or b"") for name, value in self.headers] + [
            (HEADER_PREFIX + name, str(value).encode()) for name, value in own.items()
        ]


def write(store: Store, letters: Iterable[DeadLetter]) -> None:
    """Write dead letters; writing one again changes nothing."""
    store.mutate(TABLE, [Mutation(letter.row, _cells(letter)) for letter in letters])


def read(store: Store, rows: Iterable[bytes]) -> Iterator[DeadLetter]:
    """Read the dead letters of these rows, one at a time: each may be as large as a record."""
    for row in rows:
        cells = store.rows(TABLE, [row]).get(row)
        if cells:
            yield _letter(row, cells)


def scan(store: Store) -> Iterator[DeadLetter]:
    """Read all dead letters in the order of the log."""
    for row, cells in store.scan(TABLE):
        yield _letter(row, cells)


def encode_headers(headers: Headers) -> bytes:
    """Encode record headers, duplicates and order kept."""
    return orjson.dumps([[name, _base64(value)] for name, value in headers])


def decode_headers(encoded: bytes) -> Headers:
    """Read `encode_headers`' bytes."""
    return tuple(
        (name, None if value is None else base64.b64decode(value))
        for name, value in orjson.loads(encoded)
    )


def _cells(letter: DeadLetter) -> Cells:
    cells = {
        _REASON: letter.reason.encode(),
        _DETAIL: letter.detail.encode(),
        _HEADERS: encode_headers(letter.headers),
    }
    if letter.key is not None:
        cells[_KEY] = letter.key
    if letter.value is not None:
        cells[_VALUE] = letter.value
    return cells


def _letter(row: bytes, cells: Cells) -> DeadLetter:
    position, stage = split_entry(row)
    return DeadLetter(
        position=position,
        stage=stage.decode(),
        reason=cells[_REASON].decode(),
        detail=cells[_DETAIL].decode(),
        key=cells.get(_KEY),
        value=cells.get(_VALUE),
        headers=decode_headers(cells[_HEADERS]),
    )


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
