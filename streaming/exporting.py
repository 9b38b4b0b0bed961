"""What leaves the index: verdict events, and the exports of its tables as JSON lines.

The fields are those of the schemas. Exports read the store directly and need no Spark;
rows come in the order of their keys, which is the same for every store.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

from streaming import deadletters
from streaming.engine import statistics
from streaming.engine.judge import Judged
from streaming.matching.reference import Expected
from streaming.matching.verdict import Relation
from streaming.position import decode
from streaming.store import articles, keys
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store

Line = dict[str, Any]

_PAGE = 1_000


def verdict_event(item: Judged) -> Line | None:
    """Give the event that announces a verdict; None for a deletion, which has none.

    ``root`` is null in it: chains are resolved when they are read.
    """
    if item.verdict is None or item.row.current is None or item.row.first is None:
        return None
    return _line(item.article, item.row.current.channel, item.verdict.fields(), item.row.first)


def verdicts(store: Store) -> Iterator[Line]:
    """Export the verdict of every live article."""
    roots = _Roots(store)
    rows = _articles(store)
    while page := list(islice(rows, _PAGE)):
        judged = [
            (name, row, orjson.loads(row.verdict))
            for name, row in page
            if row.verdict and row.current is not None
        ]
        resolved = roots.resolve({name: fields for name, _, fields in judged})
        for name, row, fields in judged:
            if row.current is not None and row.first is not None:
                line = _line(name, row.current.channel, fields, row.first)
                yield line | {"root": resolved[name]}


def expected_verdicts(expected: Mapping[str, Expected]) -> dict[str, Line]:
    """Give what `verdicts` must export for a reference's answer, by article."""
    links = {
        name: row.verdict.duplicate_of
        for name, row in expected.items()
        if row.verdict.relation is Relation.DUPLICATE
    }
    lines = {}
    for name, row in expected.items():
        root = name
        while (link := links.get(root)) is not None:
            root = link
        line = _line(name, row.content.channel, row.verdict.fields(), row.first)
        lines[name] = line | {"root": root}
    return lines


def all_articles(store: Store) -> Iterator[Line]:
    """Export what is known of every article, deleted ones included."""
    for name, row in _articles(store):
        if row.first is None:
            continue
        known = row.current or next(
            row.contents[p] for p in sorted(row.contents, reverse=True) if row.contents[p]
        )
        if known is None:
            raise ValueError(f"{name}: a first position without a content")
        yield {
            "article_id": name,
            "channel": known.channel,
            "source": known.source or None,
            "fingerprint": None if known.fingerprint is None else f"{known.fingerprint:016x}",
            "first_seen": decode(row.first).sortable(),
            "published_ms": known.published_ms,
            "events": len(row.contents),
            "live": row.current is not None,
        }


def counts(store: Store) -> Iterator[Line]:
    """Export the statistics: articles per minute, channel, source and outcome."""
    return (count.fields() for count in statistics.read(store))


def dead_letters(store: Store) -> Iterator[Line]:
    """Export every dead letter with its bytes in base64."""
    return (letter.fields() for letter in deadletters.scan(store))


EXPORTS: Mapping[str, Callable[[Store], Iterator[Line]]] = {
    "verdicts": verdicts,
    "articles": all_articles,
    "statistics": counts,
    "dead-letters": dead_letters,
}
"""What can be exported, by the name it has on the command line."""


class _Roots:
    """Ends of chains of duplicates, looked up a page at a time and remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._links: dict[str, str | None] = {}

    def resolve(self, fields_by_article: Mapping[str, Line]) -> dict[str, str]:
        """Give the root of each article; an original is its own."""
        for name, fields in fields_by_article.items():
            self._links[name] = _link(fields)
        asked = {link for name in fields_by_article if (link := self._links[name])}
        while missing := asked - self._links.keys():
            for name, row in articles.read(self._store, missing).items():
                judged = row.verdict if row.current is not None else None
                self._links[name] = _link(orjson.loads(judged)) if judged else None
            asked = {link for name in missing if (link := self._links[name])}
        return {name: self._root(name) for name in fields_by_article}

    def _root(self, name: str) -> str:
        seen = {name}
        while (link := self._links.get(name)) is not None and link not in seen:
            seen.add(link)
            name = link
        return name


def _link(fields: Line) -> str | None:
    return fields["duplicate_of"] if fields["relation"] == Relation.DUPLICATE else None


def _line(name: str, channel: str, fields: Line, first: bytes) -> Line:
    return {
        "article_id": name,
        "channel": channel,
        **fields,
        "root": None,
        "first_seen": decode(first).sortable(),
    }


def _articles(store: Store) -> Iterator[tuple[str, ArticleRow]]:
    for row, cells in store.scan(articles.TABLE):
        yield keys.article_of(row), articles.decode(cells)
