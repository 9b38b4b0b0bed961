"""Read the article event in a change of a content system's table, as Debezium tells it.

A message holds the row before and after the change, by itself or beside the schema of both
(``schemas.enable``); https://debezium.io/documentation has the format. A row that was read, made
or changed is an article; one that was removed, or that ``where`` does not let in any more, is an
article that is gone. Tombstones repeat a removal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Any

from streaming.cloudevents import OF_A_BARE_EVENT
from streaming.jsonbytes import read_json
from streaming.reasons import Reason, Rejected
from streaming.times import CHINA, write_time

_WORDS = {"r": "created", "c": "created", "u": "updated", "d": "deleted"}
_UNAVAILABLE = "__debezium_unavailable_value"
_NANOSECOND, _MICROSECOND, _MILLISECOND, _DAY = 1, 10**3, 10**6, 86_400 * 10**9
_ZONELESS = {
    "io.debezium.time.Date": _DAY,
    "io.debezium.time.Timestamp": _MILLISECOND,
    "io.debezium.time.MicroTimestamp": _MICROSECOND,
    "io.debezium.time.NanoTimestamp": _NANOSECOND,
    "org.apache.kafka.connect.data.Date": _DAY,
    "org.apache.kafka.connect.data.Timestamp": _MILLISECOND,
}
"""Kinds of columns without a time zone, and how many nanoseconds their unit has."""
_DAYS_BELOW, _MICROSECONDS_FROM, _NANOSECONDS_FROM = 10**6, 10**14, 10**17
"""What tells the unit where no schema does: as milliseconds, a number below the first would be of
the first hour of 1970, and one from the second on of the year 5138 or later."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How rows of a table become events.

    ``columns`` maps fields of an event to columns. ``where`` maps columns to the values, as
    text, with which a row is a published article. Columns without a time zone have the time
    of day at the offset of ``naive``; Debezium writes it as if it were UTC.
    """

    columns: Mapping[str, str]
    where: Mapping[str, tuple[str, ...]]
    naive: tzinfo = CHINA

    def read(self, document: dict[str, Any], key: bytes | None) -> dict[str, Any] | Rejected:
        """Give the bare event of a change: its fields, which nobody checked yet."""
        change = _change_in(document)
        word = _WORDS.get(change["op"]) if isinstance(change["op"], str) else None
        if word is None:
            return Rejected(
                Reason.UNKNOWN_EVENT, "op: is none of c, r, u, d, so it is no change of a row"
            )
        row = change.get("before" if word == "deleted" else "after")
        row = row if isinstance(row, dict) else {}
        article = row.get(self.columns["article_id"])
        if article is None and key is not None:
            article = self.named(key)
        if article is None:
            return Rejected(
                Reason.SCHEMA, f"{self.columns['article_id']}: is in neither row nor key"
            )
        if word == "deleted" or not self._is_let_in(row):
            return {"event": "deleted", "article_id": article}
        fields = {name: row.get(column) for name, column in self.columns.items()}
        lost = [self.columns[name] for name, value in fields.items() if value == _UNAVAILABLE]
        if lost:
            return Rejected(
                Reason.SCHEMA,
                f"{lost[0]}: was not sent, since it did not change; have the database log whole"
                " rows (REPLICA IDENTITY FULL)",
            )
        kinds = {} if change is document else _kinds(document.get("schema"))
        fields["published_at"] = self._time(
            fields.get("published_at"), kinds.get(self.columns.get("published_at", ""))
        )
        told = {name: value for name, value in fields.items() if value is not None}
        return told | {"event": word, "article_id": article}

    def named(self, key: bytes) -> Any:
        """Give the article that a message's key names, None if it names none."""
        document = read_json(key, "key")
        if isinstance(document, dict) and isinstance(document.get("payload"), dict):
            document = document["payload"]
        return document.get(self.columns["article_id"]) if isinstance(document, dict) else None

    def _is_let_in(self, row: Mapping[str, Any]) -> bool:
        return all(_text(row.get(column)) in values for column, values in self.where.items())

    def _time(self, value: Any, kind: str | None) -> Any:
        """Give a time as events have it; what is no number is read as it is."""
        if isinstance(value, bool) or not isinstance(value, int):
            return value
        unit = _ZONELESS.get(kind or "") or _unit(value)
        offset = self.naive.utcoffset(None)
        of_the_clock = value * unit // _MILLISECOND
        # As text, since of numbers those below 10^11 are seconds.
        return write_time(of_the_clock - (offset or timedelta()) // timedelta(milliseconds=1))


def is_change(document: dict[str, Any]) -> bool:
    """Tell whether a JSON object is a change of a row; no valid bare event is."""
    change = _change_in(document)
    told = "op" in change and ("before" in change or "after" in change)
    return told and not OF_A_BARE_EVENT & document.keys()


def _change_in(document: dict[str, Any]) -> dict[str, Any]:
    """Give what may be a change: the document, or what it holds beside a schema."""
    payload = document.get("payload")
    return payload if isinstance(payload, dict) and "schema" in document else document


def _kinds(schema: Any) -> dict[str, str]:
    """Give the kinds of the columns of the row after the change, as its schema names them."""
    for part in _fields(schema):
        if part.get("field") == "after":
            return {
                column["field"]: column["name"]
                for column in _fields(part)
                if isinstance(column.get("field"), str) and isinstance(column.get("name"), str)
            }
    return {}


def _fields(schema: Any) -> list[dict[str, Any]]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    return [each for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []


def _unit(value: int) -> int:
    """Give the nanoseconds of the unit that a number without a schema is of."""
    if abs(value) < _DAYS_BELOW:
        return _DAY
    if abs(value) >= _NANOSECONDS_FROM:
        return _NANOSECOND
    return _MILLISECOND if abs(value) < _MICROSECONDS_FROM else _MICROSECOND


def _text(value: Any) -> str:
    """Give a value as settings write it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
