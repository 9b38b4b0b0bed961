"""Which earlier verdicts the events of a batch can change.

Found from stored rows and the batch's events only, never from what a put changed: a
batch that runs again would see nothing changed and miss them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from streaming.engine.events import ArticleEvents, EventsByArticle
from streaming.engine.snapshot import Snapshot
from streaming.matching.content import Key
from streaming.matching.rules import Rules
from streaming.position import Position, at, split_entry, timestamp_ms
from streaming.store import articles, keys
from streaming.store.contract import Store

CITATIONS = "citation"


@dataclass(frozen=True, slots=True)
class _Search:
    """Later articles that may see an article under one of these keys.

    ``until_ms`` is the last moment, inclusive, of a `first` that is searched. ``wide``
    searches from the article's own `first` on, however full its slots are.
    """

    first: Position
    keys: frozenset[Key]
    until_ms: int
    wide: bool


def affected(
    store: Store,
    rules: Rules,
    snapshot: Snapshot,
    events: EventsByArticle,
    mark: bytes | None,
) -> set[str]:
    """Give the articles, beside the batch's own, whose verdicts have to be made again.

    ``mark`` is the largest position of all earlier batches, None before the first: an
    article that begins after it is seen by nobody outside the batch. The articles of
    ``events`` must be loaded in the snapshot.
    """
    found: set[str] = set()
    searches = []
    for name, brought in events.items():
        row = snapshot.article(name)
        # Whether an article may name another as its original depends on both rows.
        found |= row.named_by
        if brought.overrides:
            found |= row.ever_named
        if row.first is None or not brought.contents:
            continue
        if row.first != row.current_position:
            found.update(_citing(store, name))
        if mark is not None and row.first <= mark:
            searches.append(_search(row, brought, rules))
    return found | _sharing(snapshot, rules, searches, mark)


def _search(row: articles.ArticleRow, brought: ArticleEvents, rules: Rules) -> _Search:
    first = row.first
    if first is None:
        raise ValueError("an article without content is seen by nobody")
    others = [p for p, content in row.contents.items() if content is not None and p != first]
    if first in brought.contents and others:
        # `first` may just have gone down: whoever saw the article where it stood before counts.
        until = timestamp_ms(max(others)) + rules.window_ms
        return _Search(first, row.keys_ever(rules), until, wide=True)
    carried = articles.keys_of(brought.contents.values(), rules)
    return _Search(first, carried, timestamp_ms(first) + rules.window_ms, wide=False)


def _sharing(
    snapshot: Snapshot, rules: Rules, searches: Iterable[_Search], mark: bytes | None
) -> set[str]:
    searches = [search for search in searches if search.keys]
    snapshot.load_near(key for search in searches for key in search.keys)
    narrow = [(key, s.first) for s in searches if not s.wide for key in s.keys]
    snapshot.load_visible(narrow)
    found: set[str] = set()
    for search in searches:
        for key, low in _starts(snapshot, rules, search).items():
            if mark is None or low > mark:
                continue
            for entry in snapshot.entries(key, low, at(search.until_ms + 1)):
                found.add(split_entry(entry)[1].decode())
    return found


def _starts(snapshot: Snapshot, rules: Rules, search: _Search) -> dict[Key, bytes]:
    """Give, per key that compares with the article's, where its later carriers begin to count.

    A later article sees this one in a slot of one of this one's keys. If the slots before
    it are all taken, only an article whose window has left the earliest of them behind can.
    """
    starts: dict[Key, bytes] = {}
    for key in search.keys:
        begin: bytes = search.first
        if not search.wide:
            slots = snapshot.visible(key, search.first)
            if len(slots) >= rules.visible:
                begin = max(begin, at(timestamp_ms(slots[0][0]) + rules.window_ms))
        for other in snapshot.near(key):
            starts[other] = min(begin, starts.get(other, begin))
    return starts


def _citing(store: Store, article: str) -> list[str]:
    prefix = keys.citation(article)
    scan = store.scan(CITATIONS, prefix, keys.after(prefix), keys_only=True)
    return [keys.citing_of(row) for row, _ in scan]
