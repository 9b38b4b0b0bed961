"""A small index in memory, and what to put into it."""

import itertools
from collections.abc import Sequence

from streaming.engine import statistics
from streaming.engine.events import LoggedContent, by_article
from streaming.engine.judge import Judged, judge
from streaming.engine.put import put
from streaming.matching.content import Content
from streaming.matching.rules import Rules
from streaming.position import encode
from streaming.store import ownership
from streaming.store.contract import Store
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES

RULES = Rules()
_names = itertools.count()
_offsets = itertools.count()


def index() -> MemoryStore:
    store = MemoryStore(f"world-{next(_names)}")
    store.ensure_tables(TABLES)
    return store


def event(
    article: str, moment: int, fingerprint: int | None = 7, channel: str = "python"
) -> LoggedContent:
    position = encode(moment, "t", 0, next(_offsets))
    return LoggedContent(article, position, Content(channel, "agency", fingerprint))


def deletion(article: str, moment: int) -> LoggedContent:
    return LoggedContent(article, encode(moment, "t", 0, next(_offsets)), None)


def batch(store: Store, events: Sequence[LoggedContent], rules: Rules = RULES) -> list[Judged]:
    """One whole micro-batch, statistics included."""
    token, mark = ownership.next_token(store), ownership.mark(store)
    ownership.raise_mark(store, max(each.position for each in events))
    put(store, rules, events)
    judged = judge(store, rules, by_article(events), token, mark)
    statistics.roll_up(store, statistics.record(store, judged, token))
    return judged
