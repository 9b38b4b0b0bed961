"""The second half of a micro-batch: look at what everybody published, and decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streaming.engine.affected import CITATIONS, affected
from streaming.engine.events import EventsByArticle
from streaming.engine.snapshot import Snapshot
from streaming.matching.overrides import NO_EDITOR, Editorial
from streaming.matching.rules import Rules
from streaming.matching.verdict import Candidate, Verdict, decide
from streaming.position import Position
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
    judged = _decide(snapshot, rules, everyone)
    _cite(store, judged.values())
    again = [] if alone else _changed_meanwhile(store, snapshot, judged.values())
    while again:
        fresh = Snapshot(store, rules)
        newer = _decide(fresh, rules, again)
        _cite(store, newer.values())
        judged |= newer
        again = _changed_meanwhile(store, fresh, newer.values())
    _write(store, judged.values(), token)
    Index(store, rules).move_surplus(snapshot.overgrown())
    return list(judged.values())


def _decide(snapshot: Snapshot, rules: Rules, names: Sequence[str]) -> dict[str, Judged]:
    snapshot.load(names)
    live = {}
    for name in names:
        row = snapshot.article(name)
        if row.first is not None and row.current is not None:
            live[name] = row.first
    candidates = _candidates(snapshot, live)
    snapshot.load(other for name in live for other in _editors_concern(snapshot.article(name)))
    judged = {}
    for name in names:
        row = snapshot.article(name)
        if row.first is None:
            continue
        verdict = None
        if row.current is not None:
            verdict = decide(row.current, candidates[name], rules, _editorial(snapshot, name))
        judged[name] = Judged(name, row, verdict)
    return judged


def _changed_meanwhile(store: Store, snapshot: Snapshot, judged: Iterable[Judged]) -> list[str]:
    """Give the articles whose verdicts cite one that is no longer as it was read."""
    cited = {item.article: item.verdict.cited() for item in judged if item.verdict}
    now = articles.read(store, frozenset().union(*cited.values()))
    changed = {name for name, row in now.items() if row.differs(snapshot.article(name))}
    return [name for name, names in cited.items() if not changed.isdisjoint(names)]


def _candidates(snapshot: Snapshot, live: Mapping[str, Position]) -> dict[str, list[Candidate]]:
    """Give, per live article with its `first`, whom it is compared with."""
    keys_of = {name: snapshot.carried(name) for name in live}
    snapshot.load_near(key for carried in keys_of.values() for key in carried)
    seen_by = {
        name: {other for key in carried for other in snapshot.near(key)}
        for name, carried in keys_of.items()
    }
    snapshot.load_visible({(key, live[name]) for name, seen in seen_by.items() for key in seen})
    found: dict[str, list[Candidate]] = {}
    for name, seen in seen_by.items():
        candidates = {}
        for key in seen:
            for first, other in snapshot.visible(key, live[name]):
                content = snapshot.article(other).current
                if content is not None and key in snapshot.carried(other):
                    candidates[other] = Candidate(other, first, content)
        found[name] = list(candidates.values())
    return found


def _editors_concern(row: ArticleRow) -> Iterable[str]:
    """Give the articles whose rows tell which overrides apply to an article."""
    return row.named_by if row.standing.original is None else {row.standing.original, *row.named_by}


def _editorial(snapshot: Snapshot, name: str) -> Editorial:
    row = snapshot.article(name)
    if not row.overrides and not row.named_by:
        return NO_EDITOR
    own = row.standing
    lives = own.original is not None and snapshot.article(own.original).current is not None
    naming = {other for other in row.named_by if snapshot.article(other).standing.original == name}
    return Editorial(own, lives, frozenset(naming))


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
