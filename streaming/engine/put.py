"""The first half of a micro-batch: publish every event, before anybody looks.

Index entries are written for the keys of *every* event, superseded ones included, and then
the article rows, so that a row never says more than the index can find. All events of an
article must come in one call or in calls that follow each other.

What a row held before is written once more with what is new, keys and events: its `first`
may just have gone down, a survivor of an earlier attempt may have brought it down before,
and where tables forget what was not written for long, an article is forgotten as a whole.
"""

from collections.abc import Mapping, Sequence

from streaming.engine.events import Logged, LoggedContent, by_article
from streaming.matching.rules import Rules
from streaming.store import articles, keys
from streaming.store.articles import ArticleRow
from streaming.store.contract import Cells, Mutation, Store
from streaming.store.index import Index

TEXTS = "text"


def put(store: Store, rules: Rules, events: Sequence[Logged], *, alone: bool = True) -> None:
    """Merge events into the store; may be repeated, whole or in part.

    Without a lease a query is not ``alone``: another one may put the same article at the
    same time, and neither sees what the other brings. Then the rows are read once more
    when they are written, and what changed meanwhile is put again.
    """
    mine = by_article(events)
    _put_texts(store, events)
    before = articles.read(store, mine)
    pending = {
        name: before[name].with_events(brought.contents, brought.overrides)
        for name, brought in mine.items()
    }
    while pending:
        _put_rows(store, rules, pending)
        if alone:
            return
        found = articles.read(store, pending)
        pending = {name: found[name] for name, row in pending.items() if found[name].differs(row)}


def _put_rows(store: Store, rules: Rules, rows: Mapping[str, ArticleRow]) -> None:
    carriers, hints = [], []
    for name, row in rows.items():
        hints += [articles.hint(named, name) for named in row.ever_named]
        if row.first is not None:
            carriers += [(key, row.first, name) for key in row.keys_ever(rules)]
    Index(store, rules).put(carriers)
    store.mutate(articles.TABLE, hints)
    store.mutate(articles.TABLE, [articles.events_of(name, row) for name, row in rows.items()])


def _put_texts(store: Store, events: Sequence[Logged]) -> None:
    texts: dict[bytes, Cells] = {}
    for event in events:
        if isinstance(event, LoggedContent) and event.text is not None:
            texts.setdefault(keys.article(event.article), {})[event.position] = event.text
    store.mutate(TEXTS, [Mutation(row, cells) for row, cells in texts.items()])
