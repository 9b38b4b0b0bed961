"""Stories into the records that a content management system sends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson

from producers.newsroom.scene import Scene
from producers.newsroom.writer import Angle, Text
from producers.records import Record

CHINA = timezone(timedelta(hours=8))
SEPARATORS = ("\n", "\n\n", "\n　　", "\r\n")
LANGUAGE = "zh"


@dataclass(frozen=True, slots=True)
class Story:
    """One version of an article as it was sent.

    ``body`` is the text as sent (joined or marked up), ``text`` what it says. Forms have no
    ``scene``; what was not written by the ``Writer`` has no ``angle``.
    """

    article_id: str
    channel: str
    source: str
    author: str
    published: int
    text: Text
    body: str
    scene: Scene | None = None
    angle: Angle | None = None


def joined(text: Text, separator: str) -> str:
    """Return the paragraphs as one plain body; an indenting separator indents the first too."""
    return separator.strip("\r\n") + separator.join(text.paragraphs)


def moment(seconds: int) -> datetime:
    """Return a time since the Unix epoch in China's time zone."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone(CHINA)


def payload(story: Story, event: str) -> dict[str, Any]:
    """Return the event as a JSON object; only ``deleted`` has no content."""
    if event == "deleted":
        return {"event": event, "article_id": story.article_id}
    published = moment(story.published)
    return {
        "event": event,
        "article_id": story.article_id,
        "channel": story.channel,
        "title": story.text.title,
        "body": story.body,
        "published_at": published.isoformat(),
        "source": story.source,
        "url": f"https://news.example/{published:%Y/%m/%d}/{story.article_id}.html",
        "author": story.author,
        "language": LANGUAGE,
    }


def record(article_id: str, value: bytes | None, arrival_ms: int) -> Record:
    """Return a record keyed as the topic's contract asks: by the article id in UTF-8."""
    return Record(article_id.encode(), value, arrival_ms)


def encode(content: Mapping[str, Any]) -> bytes:
    """Return the compact JSON of an event."""
    return orjson.dumps(content)


def written_differently(value: bytes) -> bytes:
    """Return the same JSON object with other bytes: keys reversed, escapes, white space."""
    content = json.loads(value)
    return json.dumps(dict(reversed(content.items())), ensure_ascii=True, indent=1).encode()
