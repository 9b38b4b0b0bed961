"""Dead letters: what a stage refused, with its reason and every byte of it.

They live in the ``dead_letter`` table, one row per position and stage, so that a batch
that runs again writes the same rows. A topic, if one is set, gets them as messages with
the original key and value and the rest as headers. A mark says that the record was sent
again (see `streaming.redelivery`); it is no field of the letter, and never exported.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from streaming.errors import SettingsError
from streaming.position import Coordinates, Position, decode, split_entry
from streaming.store.contract import Cells, Mutation, Store

TABLE = "dead_letter"
HEADER_PREFIX = "leitong.error."

Headers = tuple[tuple[str, bytes | None], ...]

_KEY, _VALUE, _HEADERS, _REASON, _DETAIL = b"key", b"value", b"headers", b"reason", b"detail"
_REPLAYED = b"replayed"
_PLACE = re.compile(r"(?:(?P<topic>[^/]+)/)?(?P<partition>[0-9]{1,10})/(?P<offset>[0-9]{1,20})")


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

    @property
    def coordinates(self) -> Coordinates:
        """Where its record stands."""
        return decode(self.position)

    @property
    def place(self) -> str:
        """Where its record stands, as `find` takes it: ``topic/partition/offset``."""
        place = self.coordinates
        return f"{place.topic}/{place.partition}/{place.offset}"

    def fields(self) -> dict[str, Any]:
        """Give the fields of the dead-letter schema."""
        place = self.coordinates
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
        place = self.coordinates
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


@dataclass(frozen=True, slots=True)
class Replayed:
    """Where the record of a letter was sent again last, and when (milliseconds since 1970)."""

    to: str
    at_ms: int


class Entry(NamedTuple):
    """A letter with the mark that its record was sent again, None if it was not."""

    letter: DeadLetter
    replayed: Replayed | None


def write(store: Store, letters: Iterable[DeadLetter]) -> None:
    """Write dead letters; writing one again changes nothing."""
    store.mutate(TABLE, [Mutation(letter.row, _cells(letter)) for letter in letters])


def mark(store: Store, letters: Iterable[bytes], replayed: Replayed) -> None:
    """Mark the letters of these rows as sent again; `write` keeps the marks."""
    cell = orjson.dumps({"to": replayed.to, "at_ms": replayed.at_ms})
    store.mutate(TABLE, [Mutation(row, {_REPLAYED: cell}) for row in letters])


def read(store: Store, letters: Iterable[bytes]) -> Iterator[DeadLetter]:
    """Read the dead letters of these rows, one at a time: each may be as large as a record."""
    return (entry.letter for entry in read_entries(store, letters))


def scan(store: Store) -> Iterator[DeadLetter]:
    """Read all dead letters in the order of the log."""
    return (entry.letter for entry in entries(store))


def entries(store: Store) -> Iterator[Entry]:
    """Read all dead letters with their marks, in the order of the log."""
    return (_entry(row, cells) for row, cells in store.scan(TABLE) if _REASON in cells)


def rows(store: Store) -> frozenset[bytes]:
    """Give the rows of all dead letters; reads none of them."""
    return frozenset(row for row, _ in store.scan(TABLE, keys_only=True))


def find(store: Store, place: str) -> list[Entry]:
    """Read the letters of ``topic/partition/offset``, in the order of the log.

    There are several if several stages refused the record, or if the topic was made anew.
    The topic may be left out if the letters of all are of one. Raises SettingsError, saying
    what to write, if there is no such letter or if that is no place.
    """
    written = _PLACE.fullmatch(place)
    if written is None:
        raise SettingsError(
            f"{place!r} is no place; write TOPIC/PARTITION/OFFSET as 'leitong dead-letters list'"
            " shows it"
        )
    places = [(decode(row), row) for row in sorted(rows(store))]
    topics = sorted({known.topic for known, _ in places})
    if written["topic"] is None and len(topics) > 1:
        raise SettingsError(
            f"{place} may be in several topics; write one of "
            + ", ".join(f"{topic}/{place}" for topic in topics)
        )
    named = topics if written["topic"] is None else [written["topic"]]
    wanted = (*named, int(written["partition"]), int(written["offset"]))
    found = list(read_entries(store, [row for known, row in places if known[1:] == wanted]))
    if not found:
        raise SettingsError(
            f"{place}: there is no dead letter of that record; 'leitong dead-letters list' shows"
            " those there are"
        )
    return found


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


def read_entries(store: Store, letters: Iterable[bytes]) -> Iterator[Entry]:
    """Read letters as `read` does, with their marks."""
    for row in letters:
        cells = store.rows(TABLE, [row]).get(row, {})
        if _REASON in cells:
            yield _entry(row, cells)


def _entry(row: bytes, cells: Cells) -> Entry:
    mark = cells.get(_REPLAYED)
    return Entry(_letter(row, cells), None if mark is None else Replayed(**orjson.loads(mark)))


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
