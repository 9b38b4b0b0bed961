"""The first half of a micro-batch: publish every event, before anybody looks.

Index entries are written for the keys of *every* event, superseded ones included, and for
all keys ever carried when an article's `first` goes down; then the article rows, so that
a row never says more than the index can find. All events of an article must come in one
call or in calls that follow each other.
"""

from collections.abc import Sequence

from streaming.engine.events import LoggedContent, by_article
from streaming.matching.rules import Rules
from streaming.store import articles, keys
from streaming.store.contract import Cells, Mutation, Store
from streaming.store.index import Index

TEXTS = "text"


def put(store: Store, rules: Rules, events: Sequence[LoggedContent]) -> None:
    """Merge events into the store; may be repeated, whole or in part."""
    mine = by_article(events)
    rows = articles.read(store, mine)
    carriers = []
    for name, contents in mine.items():
        row = rows[name]
        first = row.with_events(contents).first
        if first is None:
            continue
        carried = set(articles.keys_of(contents.values(), rules))
        if row.first is not None and first < row.first:
            carried |= row.keys_ever(rules)
        carriers += [(key, first, name) for key in carried]
    _put_texts(store, events)
    Index(store, rules).put(carriers)
    store.mutate(
        articles.TABLE,
        [
            Mutation(keys.article(name), articles.content_cells(contents))
            for name, contents in mine.items()
        ],
    )


def _put_texts(store: Store, events: Sequence[LoggedContent]) -> None:
    texts: dict[bytes, Cells] = {}
    for event in events:
        if event.text is not None:
            texts.setdefault(keys.article(event.article), {})[event.position] = event.text
    store.mutate(TEXTS, [Mutation(row, cells) for row, cells in texts.items()])
