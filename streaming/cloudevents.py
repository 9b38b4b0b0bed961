"""Read the article event that a CloudEvent 1.0 carries.

A record is one in the first of these cases that applies, otherwise it is a bare event:

1. *Structured*: its header ``content-type`` is ``application/cloudevents+json``, whatever
   parameters follow. Batches and other formats are refused.
2. *Binary*: a header's name begins with ``ce_``. The value is the data.
3. *Structured, without that header*: its value is a JSON object that has ``specversion``
   and neither ``article_id`` nor ``channel`` nor ``event``. Every valid bare event has
   ``channel`` or ``event``, so none is taken for a CloudEvent. (``id`` tells nothing: an
   article and a CloudEvent may both have one.)

Without a value there is no content to be structured, so only the second applies. Names of
headers are compared without case; of headers with one name the last counts, as in Kafka's
own clients.

The event is the data's own ``event``, else the last part of the CloudEvent's ``type``;
the article is the data's own, else the ``subject``. ``source`` and ``time`` are those of
the message and say nothing of the article.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import schemas
from streaming.jsonbytes import read_json
from streaming.kinds import WORDS, Kind
from streaming.reasons import Reason, Rejected

Headers = Iterable[tuple[str, bytes | None]]

_PREFIX = "ce_"
_MEDIA_TYPE = "application/cloudevents"
_VERSION = re.compile(r"1\.[0-9]+")
_REQUIRED = ("id", "source", "type")
OF_A_BARE_EVENT = frozenset({"article_id", "channel", "event"})
"""Fields of which every valid bare event has one, and no envelope has any."""
_IDS = frozenset({"article_id", "id"})


class Mode(Enum):
    """How a record carries its event."""

    BARE = auto()
    BINARY = auto()
    STRUCTURED = auto()


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What is read of a CloudEvent beside its data; `prefix` goes before names in details."""

    type: str
    subject: Any
    prefix: str

    @property
    def word(self) -> str:
        return self.type.rpartition(".")[2]


def mode_of(headers: Headers, value: bytes | None) -> Mode | Rejected:
    """Say how a record carries its event, as far as its headers tell."""
    contents = {name.lower(): content for name, content in headers}
    content_type = contents.get("content-type")
    if value is not None and content_type is not None:
        media = content_type.decode("latin-1").partition(";")[0].strip().lower()
        if media == f"{_MEDIA_TYPE}+json":
            return Mode.STRUCTURED
        if media.startswith(f"{_MEDIA_TYPE}-batch"):
            return Rejected(
                Reason.SCHEMA,
                "content-type: is a batch of CloudEvents; send one event per message",
            )
        if media.startswith(_MEDIA_TYPE):
            return Rejected(
                Reason.SCHEMA,
                f"content-type: of CloudEvents only {_MEDIA_TYPE}+json is understood",
            )
    return Mode.BINARY if any(name.startswith(_PREFIX) for name in contents) else Mode.BARE


def is_structured(document: Any) -> bool:
    """Whether a JSON value is a CloudEvent though no header says so; see the third case."""
    return (
        isinstance(document, dict)
        and "specversion" in document
        and not OF_A_BARE_EVENT & document.keys()
    )


def read_structured(document: Any) -> dict[str, Any] | Rejected:
    """Return the bare event in a structured CloudEvent: its fields, which nobody checked yet."""
    if not isinstance(document, dict):
        return Rejected(Reason.SCHEMA, "document: is not an object")
    envelope = _envelope(document, "")
    if isinstance(envelope, Rejected):
        return envelope
    data, encoded = document.get("data"), document.get("data_base64")
    if encoded is None:
        return _bare(envelope, data, "data")
    if data is not None:
        return Rejected(Reason.SCHEMA, "data, data_base64: only one of them may be there")
    data = _decode(encoded)
    return data if isinstance(data, Rejected) else _bare(envelope, data, "data_base64")


def read_binary(value: bytes | None, headers: Headers) -> dict[str, Any] | Rejected | None:
    """Return the bare event in a binary CloudEvent: its fields, which nobody checked yet.

    Without a value it is a deletion; None if the subject does not say of which article,
    and it is that of the record's key.
    """
    contents = {name.lower(): content for name, content in headers}
    attributes: dict[str, str] = {}
    # Extensions may be anything, so they are not looked at.
    for attribute in ("specversion", *_REQUIRED, "subject"):
        content = contents.get(_PREFIX + attribute)
        if content is None:
            continue
        try:
            attributes[attribute] = content.decode("utf-8")
        except UnicodeDecodeError as error:
            return Rejected(
                Reason.NOT_UTF8, f"{_PREFIX}{attribute}: byte {error.start} is not UTF-8"
            )
    envelope = _envelope(attributes, _PREFIX)
    if isinstance(envelope, Rejected):
        return envelope
    if value is None:
        return _tombstone(envelope)
    data = read_json(value, "value") if value else None
    return data if isinstance(data, Rejected) else _bare(envelope, data, "value")


def _decode(encoded: Any) -> Any | Rejected:
    try:
        content = base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError):
        return Rejected(Reason.SCHEMA, "data_base64: is not text in base64")
    return read_json(content, "data_base64") if content else None


def _envelope(attributes: Mapping[str, Any], prefix: str) -> _Envelope | Rejected:
    version = attributes.get("specversion")
    if version is None:
        return Rejected(Reason.SCHEMA, f"{prefix}specversion: is required")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        return Rejected(Reason.SCHEMA, f"{prefix}specversion: is not 1.0 or another 1.x")
    problems = []
    for name in _REQUIRED:
        attribute = attributes.get(name)
        if attribute is None:
            problems.append(f"{prefix}{name}: is required")
        elif not isinstance(attribute, str):
            problems.append(f"{prefix}{name}: is not text")
        elif not attribute:
            problems.append(f"{prefix}{name}: is empty")
    if problems:
        return Rejected(Reason.SCHEMA, "; ".join(problems))
    return _Envelope(attributes["type"], attributes.get("subject"), prefix)


def _tombstone(envelope: _Envelope) -> dict[str, Any] | Rejected | None:
    # A lost value must not delete what its event wanted to change.
    if WORDS.get(envelope.word, Kind.DELETED) is not Kind.DELETED:
        return Rejected(
            Reason.SCHEMA, f"value: is null, which deletes, but {_PREFIX}type says another event"
        )
    if envelope.subject is None:
        return None
    return _with_subject(envelope, {"event": Kind.DELETED.value})


def _bare(envelope: _Envelope, data: Any, path: str) -> dict[str, Any] | Rejected:
    if data is not None and not isinstance(data, dict):
        return Rejected(Reason.SCHEMA, f"{path}: is not an object")
    fields: dict[str, Any] = data or {}
    word = fields.get("event")
    if word is None:
        word = envelope.word
        if word not in WORDS:
            return Rejected(
                Reason.UNKNOWN_EVENT,
                f"{envelope.prefix}type: does not end in the name of an event, such as .created,"
                " and the data names none",
            )
    if data is None and WORDS.get(word) is not Kind.DELETED:
        return Rejected(Reason.SCHEMA, f"{path}: is required, except to delete")
    return _with_subject(envelope, {**fields, "event": word})


def _with_subject(envelope: _Envelope, fields: dict[str, Any]) -> dict[str, Any] | Rejected:
    if envelope.subject is None or _IDS & fields.keys():
        return fields
    if not isinstance(envelope.subject, str):
        return Rejected(Reason.SCHEMA, f"{envelope.prefix}subject: is not text")
    for violation in schemas.violations("article-event", envelope.subject, "name"):
        return Rejected(Reason.SCHEMA, f"{envelope.prefix}subject: {violation.rule}")
    return {**fields, "article_id": envelope.subject}
