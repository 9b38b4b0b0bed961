"""Read one message of the log: an article event, or why it is none.

An event says what happened to an article, or what an editor says of it over the verdict
(an *override*); it stands in the message by itself, in a CloudEvent, or in a change that
Debezium tells of a table. The rules are those of the schema `article-event`; this module
adds what a schema cannot say (numbers kept exactly, times, channel numbers) and guards
against bytes that would be slow or dangerous to look at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Any

import schemas
from streaming import cloudevents, debezium
from streaming.cloudevents import Mode
from streaming.debezium import Changes
from streaming.jsonbytes import read_json
from streaming.kinds import WORDS, Kind
from streaming.reasons import DETAIL_LIMIT, Reason, Rejected
from streaming.settings import Settings
from streaming.times import CHINA, parse_time

__all__ = ["MAX_EVENT_BYTES", "Event", "EventParser", "Kind", "Reason", "Rejected", "parser_of"]

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Largest message that is parsed unless configured otherwise: over a million characters."""

Headers = tuple[tuple[str, bytes | None], ...]

_SCHEMA = "article-event"
_LABEL_LIMIT = 256
_EXACT_FLOAT = 2**53
_FRAMED, _FRAME_BYTES = b"\0", 5
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# A message that breaks several rules is counted under the first of these that applies.
_PRECEDENCE = (Reason.UNKNOWN_EVENT, Reason.SCHEMA, Reason.EMPTY_TEXT)


@dataclass(frozen=True, slots=True)
class Event:
    """One valid article event.

    `title` and `body` are as sent, HTML or text, "" when missing; a deletion has
    neither. `channel` is a name, "" only for a deletion that does not say it.
    `published_ms` is milliseconds since 1970. At least one of title and body of a
    created or updated article has a character that is not white space; that text is
    left after normalisation is not guaranteed.

    An override has `article_id`, `other_id` (never the same; None only if everything is
    released), `by` and `note`, and nothing else; other events have none of these three.
    """

    kind: Kind
    article_id: str
    channel: str
    title: str
    body: str
    published_ms: int | None
    source: str | None
    url: str | None
    author: str | None
    language: str | None
    other_id: str | None = None
    by: str | None = None
    note: str | None = None


class EventParser:
    """Turns message bytes into an `Event` or a `Rejected`, and never raises.

    `channels` maps channel numbers, as decimal text, to names; other names stand for
    themselves. `max_bytes` bounds the value. `naive` is the offset of publication
    times that name none. `changes` says how a change of a table is read, if any is an event.
    Instances keep no state between messages and can be pickled.
    """

    def __init__(
        self,
        channels: Mapping[str, str] | None = None,
        max_bytes: int = MAX_EVENT_BYTES,
        naive: tzinfo = CHINA,
        changes: Changes | None = None,
    ) -> None:
        self._channels = dict(channels or {})
        self._max_bytes = max_bytes
        self._naive = naive
        self._changes = changes

    def parse(
        self, value: bytes | None, key: bytes | None = None, headers: Headers = ()
    ) -> Event | Rejected:
        """Parse one message. Without a value the key names an article that is gone.

        The key of a message with a value is not read: it only chooses the partition. The
        headers say whether it is a CloudEvent; `streaming.cloudevents` has the rules. The five
        bytes with which a schema registry's serializer begins are passed over.
        """
        if value is not None and len(value) > self._max_bytes:
            return Rejected(
                Reason.TOO_LARGE, f"value: {len(value)} bytes, the limit is {self._max_bytes}"
            )
        value = _unframed(value)
        mode = cloudevents.mode_of(headers, value) if headers else Mode.BARE
        if isinstance(mode, Rejected):
            return mode
        if mode is Mode.BINARY:
            enclosed = cloudevents.read_binary(value, headers)
            return self._tombstone(key) if enclosed is None else self._event(enclosed)
        if value is None:
            return self._tombstone(key)
        document = _document(value, mode)
        if isinstance(document, dict) and mode is Mode.BARE and debezium.is_change(document):
            return self._change(document, key)
        return self._event(document)

    def _change(self, document: dict[str, Any], key: bytes | None) -> Event | Rejected:
        if self._changes is None:
            return Rejected(
                Reason.SCHEMA,
                "document: is a change of a table; name its columns in events.debezium",
            )
        return self._event(self._changes.read(document, _unframed(key)))

    def _tombstone(self, key: bytes | None) -> Event | Rejected:
        if not key:
            return Rejected(Reason.NO_VALUE, "value: is null, and there is no key to delete")
        named = self._changes.named(_unframed(key) or b"") if self._changes else None
        if named is not None:
            return self._event({"event": Kind.DELETED.value, "article_id": named})
        try:
            article_id = key.decode("utf-8")
        except UnicodeDecodeError as error:
            return Rejected(Reason.NOT_UTF8, f"key: byte {error.start} is not UTF-8")
        for violation in schemas.violations(_SCHEMA, article_id, "name"):
            return Rejected(Reason.SCHEMA, f"key: {violation.rule}")
        return Event(Kind.DELETED, article_id, "", "", "", None, None, None, None, None)

    def _event(self, document: Any | Rejected) -> Event | Rejected:
        if isinstance(document, Rejected):
            return document
        if not isinstance(document, dict):
            return Rejected(Reason.SCHEMA, "document: is not an object")
        word = document.get("event")
        override = isinstance(word, str) and word in WORDS and WORDS[word].is_override
        # Only what the schema names for it is looked at: other fields may hold anything.
        names = _OVERRIDE_NAMES if override else _ARTICLE_NAMES
        known = {name: document[name] for name in names & document.keys()}
        if not _VALIDATOR.is_valid(known):
            return _violated(known)
        return _override(known) if override else self._article(known)

    def _article(self, known: dict[str, Any]) -> Event | Rejected:
        get = known.get
        kind = WORDS[get("event") or Kind.CREATED]
        article_id = _own_id(known)
        channel = _name(get("channel", ""))
        if article_id is None or channel is None:
            return _inexact("article_id" if article_id is None else "channel")
        published = _present(get("published_at"), get("publish_time"))
        published_ms = None
        if published is not None:
            published_ms = parse_time(published, self._naive)
            if published_ms is None:
                return Rejected(
                    Reason.SCHEMA,
                    "published_at: is no time that is understood, such as 2023-10-20T11:38:00Z",
                )
        deleted = kind is Kind.DELETED
        return Event(
            kind,
            article_id,
            self._channels.get(channel, channel),
            "" if deleted else get("title") or "",
            "" if deleted else get("body") or "",
            published_ms,
            _label(get("source")),
            _cleaned(get("url")),
            _label(get("author")),
            _label(get("language")),
        )


def parser_of(settings: Settings) -> EventParser:
    """Give the parser of these settings, the same for whoever publishes, asks or judges."""
    events = settings.events
    naive = timezone(timedelta(hours=events.utc_offset_hours))
    changes = None
    if events.debezium:
        changes = Changes(events.debezium.columns(), events.debezium.where, naive)
    return EventParser(settings.channels, events.max_bytes, naive, changes)


def _unframed(value: bytes | None) -> bytes | None:
    """Leave out what the serializers of a schema registry put before JSON, which has no NUL.

    That is Confluent's wire format: a NUL, and the number of the schema in four bytes.
    """
    if value is not None and value[:1] == _FRAMED and len(value) >= _FRAME_BYTES:
        return value[_FRAME_BYTES:]
    return value


def _document(value: bytes, mode: Mode) -> Any | Rejected:
    """Return what is to be an event: the JSON itself, or what the CloudEvent in it holds."""
    if not value:
        return Rejected(Reason.NO_VALUE, "value: has no bytes")
    document = read_json(value, "value")
    if isinstance(document, Rejected):
        return document
    if mode is Mode.STRUCTURED or cloudevents.is_structured(document):
        return cloudevents.read_structured(document)
    return document


def _names_of(branch: str) -> frozenset[str]:
    """Return the names of the fields that events of a branch of the schema may have."""
    return frozenset(
        name
        for field in schemas.fields(_SCHEMA)
        if field.branch in {"", branch}
        for name in (field.name, *field.aliases)
    )


_ARTICLE_NAMES = _names_of("article")
_OVERRIDE_NAMES = _names_of("override")
_VALIDATOR = schemas.validator(_SCHEMA)


def _violated(known: dict[str, Any]) -> Rejected:
    try:
        found = list(schemas.violations(_SCHEMA, known))
    except ValueError:
        return Rejected(Reason.TOO_DEEP, "document: a field nests too deep")
    reason = next(reason for reason in _PRECEDENCE if any(each.reason == reason for each in found))
    details = dict.fromkeys(str(each) for each in found if each.reason == reason)
    return Rejected(reason, "; ".join(details)[:DETAIL_LIMIT])


def _override(known: dict[str, Any]) -> Event | Rejected:
    kind = WORDS[known["event"]]
    article_id = _own_id(known)
    sent = known.get("other_id")
    other_id = None if sent is None else _name(sent)
    if article_id is None:
        return _inexact("article_id")
    if other_id is None and sent is not None:
        return _inexact("other_id")
    if other_id == article_id:
        return Rejected(Reason.SCHEMA, "other_id: names the article itself")
    by, note = _label(known.get("by")), _label(known.get("note"))
    return Event(kind, article_id, "", "", "", None, None, None, None, None, other_id, by, note)


def _own_id(known: dict[str, Any]) -> str | None:
    return _name(known["article_id"] if "article_id" in known else known["id"])


def _inexact(path: str) -> Rejected:
    return Rejected(
        Reason.SCHEMA, f"{path}: is too large a number to keep exactly; send it as text"
    )


def _name(value: str | float) -> str | None:
    """Return an id or a channel as text; None for a number too large to be exact."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(int(value)) if abs(value) <= _EXACT_FLOAT else None
    return str(value)


def _present(*values: str | float | None) -> str | float | None:
    """Return the first value that is neither null nor blank."""
    for value in values:
        if value is not None and (not isinstance(value, str) or value.strip()):
            return value
    return None


def _label(value: str | None) -> str | None:
    cleaned = _cleaned(value)
    return cleaned and cleaned[:_LABEL_LIMIT]


def _cleaned(value: str | None) -> str | None:
    """Return one line of text without control characters, None when nothing is left."""
    if value is None:
        return None
    return _CONTROL.sub(" ", value).strip() or None
