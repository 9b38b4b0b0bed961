"""The events of a micro-batch as the engine takes them: enriched, without their source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streaming.matching.content import Content
from streaming.matching.overrides import Override
from streaming.position import Position


@dataclass(frozen=True, slots=True)
class LoggedContent:
    """What an article became at a position of the log.

    ``content`` is None for a deletion. ``text`` is the encoded title and body, None for a
    deletion and wherever only the verdict is asked for. ``described`` maps models to what
    they say of it, encoded.
    """

    article: str
    position: Position
    content: Content | None
    text: bytes | None = None
    described: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedOverride:
    """What an editor said of an article at a position of the log."""

    article: str
    position: Position
    override: Override


Logged = LoggedContent | LoggedOverride
"""One valid event."""


@dataclass(frozen=True, slots=True)
class ArticleEvents:
    """What a batch brings to one article, by position."""

    contents: dict[Position, Content | None] = field(default_factory=dict)
    overrides: dict[Position, Override] = field(default_factory=dict)
    described: dict[Position, Mapping[str, bytes]] = field(default_factory=dict)


EventsByArticle = Mapping[str, ArticleEvents]


def became(event: Logged) -> tuple[Position, str, Content | Override | None]:
    """Give an event as the reference takes it."""
    what = event.override if isinstance(event, LoggedOverride) else event.content
    return event.position, event.article, what


def by_article(events: Iterable[Logged]) -> dict[str, ArticleEvents]:
    """Group events by article: what a batch brings to each row."""
    grouped: dict[str, ArticleEvents] = {}
    for event in events:
        mine = grouped.setdefault(event.article, ArticleEvents())
        if isinstance(event, LoggedOverride):
            mine.overrides[event.position] = event.override
        else:
            mine.contents[event.position] = event.content
            mine.described[event.position] = event.described
    return grouped
