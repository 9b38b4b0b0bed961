"""A small index in memory, and what to put into it."""

import itertools
from collections.abc import Sequence

from streaming.engine import statistics, summaries
from streaming.engine.attempt import attempt
from streaming.engine.describe import Models, describe
from streaming.engine.events import Logged, LoggedContent, LoggedOverride, by_article
from streaming.engine.judge import Judged, judge
from streaming.engine.put import put
from streaming.engine.ranking import rank
from streaming.matching.content import Content
from streaming.matching.overrides import Override, Ruling
from streaming.matching.rules import Rules
from streaming.position import encode
from streaming.similar.view import View
from streaming.store import models
from streaming.store.contract import Store
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES

RULES = Rules(verify_simhash=False)
NO_MODELS: Models = {}
_names = itertools.count()
_offsets = itertools.count()


def index() -> MemoryStore:
    store = MemoryStore(f"world-{next(_names)}")
    store.ensure_tables(TABLES)
    return store


def event(
    article: str,
    moment: int,
    fingerprint: int | None = 7,
    channel: str = "python",
    source: str = "agency",
) -> LoggedContent:
    position = encode(moment, "t", 0, next(_offsets))
    return LoggedContent(article, position, Content(channel, source, fingerprint))


def deletion(article: str, moment: int) -> LoggedContent:
    return LoggedContent(article, encode(moment, "t", 0, next(_offsets)), None)


def ruling(
    article: str, moment: int, kind: str, other: str | None = None, by: str | None = None
) -> LoggedOverride:
    position = encode(moment, "t", 0, next(_offsets))
    return LoggedOverride(article, position, Override(Ruling(kind), other, by))


def batch(
    store: Store, events: Sequence[Logged], rules: Rules = RULES, ranked: Models = NO_MODELS
) -> list[Judged]:
    """One whole micro-batch, statistics included, and lists under the models that are given."""
    done = attempt(
        store,
        max(each.position for each in events),
        lambda: put(store, rules, events),
        lambda token, mark: judge(store, rules, by_article(events), token, mark),
    )
    minutes = statistics.record(store, done.judged, done.token)
    statistics.roll_up(store, minutes)
    summaries.summarise(store, minutes)
    touched = describe(store, ranked, done.judged, by_article(events), done.token)
    for model, scope in sorted(touched):
        ranking, since = ranked[model], models.read(store).logs[model].since
        view = View(ranking)
        rank(store, view, ranking, model, scope, done.token, done.mark, since=since)
    return done.judged
