"""An article that is not in the log: read and enriched as if it had just come out of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from streaming.cloudevents import is_structured, read_structured
from streaming.engine.events import LoggedContent
from streaming.enrichment import Enricher, decode_text
from streaming.errors import SettingsError
from streaming.jsonbytes import read_json
from streaming.logformat import LogRecord
from streaming.matching.content import Content
from streaming.position import Position, encode
from streaming.reasons import Rejected
from streaming.settings import Settings
from streaming.texts import Text

TOPIC = "~draft"
"""Sorts after every topic: no name of one may hold this character."""
_NO_CHANNEL = "draft"
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as the rules see it.

    ``article`` is None if the draft has no id, ``channel`` if it names none; ``name`` then
    is an id that no article has.
    """

    name: str
    article: str | None
    channel: str | None
    content: Content
    text: Text


def position_at(moment_ms: int) -> Position:
    """Give the position of a draft at a moment: after everything that the log has of then."""
    return encode(moment_ms, TOPIC, 0, 0)


def parse_document(content: bytes, where: str) -> dict[str, Any]:
    """Read a draft that is one JSON object; SettingsError if it is none."""
    document = read_json(content, where)
    if isinstance(document, Rejected):
        raise SettingsError(f"{document.detail}; a draft is one article as JSON, or plain text")
    if not isinstance(document, dict):
        raise SettingsError(f"{where}: the JSON is not one article")
    return document


def read_draft(
    document: dict[str, Any],
    settings: Settings,
    where: str,
    given: Mapping[str, str] = _NOTHING,
    *,
    enricher: Enricher | None = None,
) -> Draft:
    """Enrich an article as `leitong produce` takes it; an id may be missing.

    ``given`` are a title and a channel that win over those of the document. A channel may be
    missing where all of them are one scope. ``enricher`` is one under these settings, for whoever
    reads more than one draft. SettingsError says what is wrong with the draft.
    """
    bare = read_structured(document) if is_structured(document) else document
    if isinstance(bare, Rejected):
        raise SettingsError(f"{where}: {bare.detail} ({bare.reason})")
    fields = {**bare, **given}
    named, placed = not fields.keys().isdisjoint({"article_id", "id"}), "channel" in fields
    if not named:
        fields["article_id"] = f"draft-{uuid.uuid4().hex}"
    if not placed and settings.matching.scope == "channel":
        raise SettingsError(
            f"{where}: has no channel, and articles are compared within theirs only: name it, as"
            " its field channel or with --channel"
        )
    fields.setdefault("channel", _NO_CHANNEL)
    record = LogRecord(TOPIC, 0, 0, 0, None, orjson.dumps(fields))
    (event,) = (enricher or Enricher(settings)).enrich([record])
    if isinstance(event, Rejected):
        raise SettingsError(f"{where}: {event.detail} ({event.reason})")
    if not isinstance(event, LoggedContent) or event.content is None or event.text is None:
        raise SettingsError(f"{where}: only an article can be checked, not what is said of one")
    return Draft(
        event.article,
        event.article if named else None,
        event.content.channel if placed else None,
        event.content,
        Text(*decode_text(event.text)),
    )
