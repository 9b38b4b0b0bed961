"""Article rows: the truth that every index entry is checked against.

A row keeps the content of every event as one cell per position (the largest position
wins), from which `first`, the current content and the keys ever carried are derived; so
writing an event is a merge that commutes and may be repeated. A verdict is a cell per
attempt token; readers take the largest token.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from streaming.matching.content import Content, Key
from streaming.matching.rules import Rules
from streaming.position import Position
from streaming.store import keys
from streaming.store.contract import Cells, Store

TABLE = "article"
_TOMBSTONE = b""


@dataclass(frozen=True)
class ArticleRow:
    """What is stored of one article; an article without any row is an empty one.

    ``contents`` maps the position of each event to its content, None for a deletion.
    ``verdicts`` maps tokens to encoded verdicts.
    """

    contents: Mapping[Position, Content | None]
    verdicts: Mapping[bytes, bytes]

    @cached_property
    def first(self) -> Position | None:
        """The smallest position of a content; None if only deletions are known."""
        return min((p for p, c in self.contents.items() if c is not None), default=None)

    @cached_property
    def current_position(self) -> Position | None:
        """The largest position of any event."""
        return max(self.contents, default=None)

    @cached_property
    def current(self) -> Content | None:
        """The content at the largest position; None if that is a deletion, or nothing is known."""
        return self.contents[self.current_position] if self.current_position is not None else None

    @property
    def verdict(self) -> bytes | None:
        """The verdict under the largest token."""
        return self.verdicts[max(self.verdicts)] if self.verdicts else None

    def keys_ever(self, rules: Rules) -> frozenset[Key]:
        """All keys that any version carried."""
        return keys_of(self.contents.values(), rules)

    def with_events(self, events: Mapping[Position, Content | None]) -> "ArticleRow":
        """Merge events into the row."""
        return ArticleRow({**self.contents, **events}, self.verdicts)


NOTHING = ArticleRow({}, {})


def keys_of(contents: Iterable[Content | None], rules: Rules) -> frozenset[Key]:
    """All keys that any of these contents carries."""
    return frozenset().union(*(c.keys(rules) for c in contents if c is not None))


def decode(cells: Cells) -> ArticleRow:
    """Read a row's cells."""
    contents: dict[Position, Content | None] = {}
    verdicts: dict[bytes, bytes] = {}
    for qualifier, value in cells.items():
        kind, rest = qualifier[:1], qualifier[1:]
        if kind == keys.CONTENT:
            contents[Position(rest)] = Content.decode(value) if value else None
        elif kind == keys.VERDICT:
            verdicts[rest] = value
    return ArticleRow(contents, verdicts)


def content_cells(events: Mapping[Position, Content | None]) -> Cells:
    """Cells of events, for the row's put."""
    return {
        keys.CONTENT + position: content.encode() if content is not None else _TOMBSTONE
        for position, content in events.items()
    }


def read(store: Store, article_ids: Iterable[str]) -> dict[str, ArticleRow]:
    """Read articles in one multi-get; those without a row are `NOTHING`."""
    rows = {keys.article(name): name for name in article_ids}
    found = store.rows(TABLE, list(rows))
    return {name: decode(found[row]) if row in found else NOTHING for row, name in rows.items()}
