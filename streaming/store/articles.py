"""Article rows: the truth that every index entry is checked against.

A row keeps the content of every event as one cell per position (the largest position
wins), from which `first`, the current content and the keys ever carried are derived; so
writing an event is a merge that commutes and may be repeated. What editors say is kept
likewise, with a hint in the row of the article that they name. A verdict is a cell per
attempt token, and so is what was announced of it; readers take the largest token.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from streaming.matching.content import Content, Key
from streaming.matching.overrides import Override, Standing, standing
from streaming.matching.rules import Rules
from streaming.position import Position
from streaming.store import keys
from streaming.store.contract import Cells, Mutation, Store

TABLE = "article"
_TOMBSTONE = b""
_PRESENT = b""


@dataclass(frozen=True)
class ArticleRow:
    """What is stored of one article; an article without any row is an empty one.

    ``contents`` maps the position of each event to its content, None for a deletion, and
    ``overrides`` that of each override. ``named_by`` are the articles whose overrides, in
    force or not, name this one. ``verdicts`` and ``announcements`` map tokens to what was
    encoded under them.
    """

    contents: Mapping[Position, Content | None] = field(default_factory=dict)
    overrides: Mapping[Position, Override] = field(default_factory=dict)
    named_by: frozenset[str] = frozenset()
    verdicts: Mapping[bytes, bytes] = field(default_factory=dict)
    announcements: Mapping[bytes, bytes] = field(default_factory=dict)

    @cached_property
    def first(self) -> Position | None:
        """The smallest position of a content; None if there never was one."""
        return min((p for p, c in self.contents.items() if c is not None), default=None)

    @cached_property
    def current_position(self) -> Position | None:
        """The largest position of any content or deletion."""
        return max(self.contents, default=None)

    @cached_property
    def current(self) -> Content | None:
        """The content at the largest position; None if that is a deletion, or nothing is known."""
        return self.contents[self.current_position] if self.current_position is not None else None

    @cached_property
    def standing(self) -> Standing:
        """The overrides that stand."""
        return standing(self.overrides)

    @property
    def ever_named(self) -> frozenset[str]:
        """All articles that its overrides, in force or not, name."""
        return frozenset(each.other for each in self.overrides.values() if each.other is not None)

    @property
    def verdict(self) -> bytes | None:
        """The verdict under the largest token."""
        return self.verdicts[max(self.verdicts)] if self.verdicts else None

    @property
    def announced(self) -> bytes | None:
        """What was announced under the largest token."""
        return self.announcements[max(self.announcements)] if self.announcements else None

    def keys_ever(self, rules: Rules) -> frozenset[Key]:
        """All keys that any version carried."""
        return keys_of(self.contents.values(), rules)

    def with_events(
        self, contents: Mapping[Position, Content | None], overrides: Mapping[Position, Override]
    ) -> "ArticleRow":
        """Merge events into the row."""
        return replace(
            self,
            contents={**self.contents, **contents},
            overrides={**self.overrides, **overrides},
        )

    def differs(self, other: "ArticleRow") -> bool:
        """Whether the two hold other events."""
        return (self.contents, self.overrides) != (other.contents, other.overrides)


NOTHING = ArticleRow()


def keys_of(contents: Iterable[Content | None], rules: Rules) -> frozenset[Key]:
    """All keys that any of these contents carries."""
    return frozenset().union(*(c.keys(rules) for c in contents if c is not None))


def decode(cells: Cells) -> ArticleRow:
    """Read a row's cells."""
    contents: dict[Position, Content | None] = {}
    overrides: dict[Position, Override] = {}
    named_by: set[str] = set()
    by_token: dict[bytes, dict[bytes, bytes]] = {keys.VERDICT: {}, keys.ANNOUNCED: {}}
    for qualifier, value in cells.items():
        kind, rest = qualifier[:1], qualifier[1:]
        if kind == keys.CONTENT:
            contents[Position(rest)] = Content.decode(value) if value else None
        elif kind == keys.OVERRIDE:
            overrides[Position(rest)] = Override.decode(value)
        elif kind == keys.NAMED_BY:
            named_by.add(rest.decode())
        elif kind in by_token:
            by_token[kind][rest] = value
    return ArticleRow(
        contents, overrides, frozenset(named_by), by_token[keys.VERDICT], by_token[keys.ANNOUNCED]
    )


def events_of(name: str, row: ArticleRow) -> Mutation:
    """Give the mutation that writes all events of a row; the same cells whoever writes them."""
    cells = {
        keys.CONTENT + position: content.encode() if content is not None else _TOMBSTONE
        for position, content in row.contents.items()
    }
    cells |= {keys.OVERRIDE + p: override.encode() for p, override in row.overrides.items()}
    return Mutation(keys.article(name), cells)


def hint(named: str, naming: str) -> Mutation:
    """Give the mutation that notes in one article's row that another one's overrides name it."""
    return Mutation(keys.article(named), {keys.NAMED_BY + naming.encode(): _PRESENT})


def scan(store: Store) -> Iterator[tuple[str, ArticleRow]]:
    """Yield all articles in the order of their keys; some may have no content, or none now."""
    for row, cells in store.scan(TABLE):
        yield keys.article_of(row), decode(cells)


def scan_part(store: Store, salt: int) -> Iterator[tuple[str, ArticleRow]]:
    """Yield the articles with this salt, 0 to 255, likewise."""
    prefix = bytes((salt,))
    for row, cells in store.scan(TABLE, prefix, keys.after(prefix)):
        yield keys.article_of(row), decode(cells)


def read(store: Store, article_ids: Iterable[str]) -> dict[str, ArticleRow]:
    """Read articles in one multi-get; those without a row are `NOTHING`."""
    rows = {keys.article(name): name for name in article_ids}
    found = store.rows(TABLE, list(rows))
    return {name: decode(found[row]) if row in found else NOTHING for row, name in rows.items()}
