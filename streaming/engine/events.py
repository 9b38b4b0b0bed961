"""The events of a micro-batch as the engine takes them: enriched, without their source."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streaming.matching.content import Content
from streaming.position import Position


@dataclass(frozen=True, slots=True)
class LoggedContent:
    """One valid event: what an article became at a position of the log.

    ``content`` is None for a deletion. ``text`` is the encoded title and body, None for a
    deletion and wherever only the verdict is asked for.
    """

    article: str
    position: Position
    content: Content | None
    text: bytes | None = None


def by_article(events: Iterable[LoggedContent]) -> dict[str, dict[Position, Content | None]]:
    """Group events by article: the contents that a batch brings to each row."""
    grouped: dict[str, dict[Position, Content | None]] = defaultdict(dict)
    for event in events:
        grouped[event.article][event.position] = event.content
    return dict(grouped)


EventsByArticle = Mapping[str, Mapping[Position, Content | None]]
