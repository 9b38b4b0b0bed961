"""The second half of a micro-batch: look at what everybody published, and decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streaming.engine import decision
from streaming.engine.affected import CITATIONS, affected
from streaming.engine.events import EventsByArticle
from streaming.engine.snapshot import Snapshot
from streaming.matching.rules import Rules
from streaming.matching.verdict import Verdict
from streaming.store import articles, keys
from streaming.store.articles import ArticleRow
from streaming.store.contract import Mutation, Store
from streaming.store.index import Index

_CITED = b"c"
NO_VERDICT = b""
"""The verdict cell of an article that is not live: it has none."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An article whose verdict was made; ``verdict`` is None if it is deleted.

    ``row`` is as it was read before: with the verdict that stood until now.
    """

    article: str
    row: ArticleRow
    verdict: Verdict | None

    @property
    def changed(self) -> bool:
        """Whether the verdict says something else than the one that stood until now."""
        return self.row.verdict != (self.verdict.encode() if self.verdict else NO_VERDICT)


def judge(
    store: Store,
    rules: Rules,
    events: EventsByArticle,
    token: bytes,
    mark: bytes | None,
    *,
    alone: bool = True,
) -> list[Judged]:
    """Judge the articles of a batch and those they affect, and store the verdicts.

    To be called when all puts of the batch have ended. Verdicts are written under
    ``token``, which grows with every attempt, so that the last attempt's stand whatever
    its predecessors still write. An article that was judged before is judged again.

    Without a lease a query is not ``alone``: another one may change an article that is just
    being cited, and look for those that cite it before they are found. So the cited articles
    are read once more when the citations are written.
    """
    snapshot = Snapshot(store, rules)
    snapshot.load(events)
    everyone = [*events, *sorted(affected(store, rules, snapshot, events, mark) - events.keys())]
    judged: dict[str, Judged] = {}
    reading, pending = snapshot, everyone
    while pending:
        newer = _decide(reading, rules, pending)
        _cite(store, newer.values())
        judged |= newer
        pending = [] if alone else _changed_meanwhile(store, reading, newer.values())
        reading = Snapshot(store, rules)
    _write(store, judged.values(), token)
    Index(store, rules).move_surplus(snapshot.overgrown())
    return list(judged.values())


def _decide(snapshot: Snapshot, rules: Rules, names: Sequence[str]) -> dict[str, Judged]:
    decided = decision.verdicts(snapshot, rules, names)
    return {
        name: Judged(name, snapshot.article(name), verdict) for name, verdict in decided.items()
    }


def _changed_meanwhile(store: Store, snapshot: Snapshot, judged: Iterable[Judged]) -> list[str]:
    """Give the articles whose verdicts cite one that is no longer as it was read."""
    cited = {item.article: item.verdict.cited() for item in judged if item.verdict}
    now = articles.read(store, frozenset().union(*cited.values()))
    changed = {name for name, row in now.items() if row.differs(snapshot.article(name))}
    return [name for name, names in cited.items() if not changed.isdisjoint(names)]


def _cite(store: Store, judged: Iterable[Judged]) -> None:
    """Write citations, before the verdicts: who is cited by one that stands can find it."""
    citations = [
        Mutation(keys.citation(cited, item.article), {_CITED: b""})
        for item in judged
        for cited in (item.verdict.cited() if item.verdict else ())
    ]
    store.mutate(CITATIONS, citations)


def _write(store: Store, judged: Iterable[Judged], token: bytes) -> None:
    verdicts = []
    for item in judged:
        outdated = [keys.VERDICT + old for old in item.row.verdicts if old < token]
        announced = sorted(item.row.announcements)
        outdated += [keys.ANNOUNCED + old for old in announced[:-1]]
        value = item.verdict.encode() if item.verdict else NO_VERDICT
        cells = {keys.VERDICT + token: value}
        verdicts.append(Mutation(keys.article(item.article), cells, tuple(outdated)))
    store.mutate(articles.TABLE, verdicts)
