"""Bugs to plant: each is one that a change of this code could bring, and must be caught.

A bug is a set of replacements in the project's modules, in force while it is planted, and
the profiles of faults under which it shows.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import greenlet

from streaming import announcements
from streaming.engine import (
    affected,
    attempt,
    decision,
    ranking,
    snapshot,
    statistics,
    succession,
    summaries,
)
from streaming.engine.events import by_article
from streaming.matching.verdict import Candidate, Verdict
from streaming.position import at, split_entry, timestamp_ms
from streaming.store import articles, index, keys, lease, models, ownership, similar
from streaming.store.contract import Mutation
from tests.simulation import world
from tests.simulation.histories import History
from tests.simulation.stepping import Order, SteppingStore, pause


@dataclass(frozen=True)
class Bug:
    """``replacements`` maps an owner and the name of its attribute to what is put there."""

    replacements: Mapping[tuple[Any, str], Any]
    profiles: tuple[str, ...] = ("calm", "crash", "all")
    style: str | None = None

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as stack:
            for (owner, name), replacement in self.replacements.items():
                stack.enter_context(patch.object(owner, name, replacement))
            yield


def _nothing(*_: Any, **__: Any) -> Any:
    return ()


def _surplus(*steps: str) -> Callable[..., int]:
    """Moves the surplus of heads in another order, or leaves a step out.

    And more than the surplus, which is no mistake: so that more often something else than the
    head is asked.
    """

    def move(self: index.Index, heads: Mapping[Any, index.Head]) -> int:
        for key, head in heads.items():
            moved = head.entries[self.head_size // 2 :]
            row = keys.head(key)
            mutations = {
                "tail": [("tail", Mutation(row + entry, {b"e": b""})) for entry in moved],
                "boundary": [("head", Mutation(row, {keys.BOUNDARY + _first_of(moved[0]): b""}))],
                "head": [("head", Mutation(row, {}, tuple(keys.ENTRY + e for e in moved)))],
            }
            for step in steps:
                for table, mutation in mutations[step]:
                    self._store.mutate(table, [mutation])
        return 0

    return move


def _first_of(entry: bytes) -> bytes:
    return split_entry(entry)[0]


def _believe_any_entry(self: Any) -> bool:
    exhausted = not self._asked
    self.slots += self._asked
    if len(self.slots) >= self._wanted:
        return True
    if exhausted and self._tail_open:
        self._tail_open = False
        self.slots.clear()
        self._source = iter(self._snapshot.entries(self._key, self._low, self._high))
        return False
    return exhausted


def _entries_as_of_the_read(store: Any, rules: Any, events: Any, *, alone: bool = True) -> None:
    """Entries are written for `first` as it was before the events."""
    del alone
    mine = by_article(events)
    before = articles.read(store, mine)
    carriers, after = [], {}
    for name, brought in mine.items():
        after[name] = before[name].with_events(brought.contents, brought.overrides)
        first = before[name].first or after[name].first
        if first is not None:
            carriers += [(key, first, name) for key in after[name].keys_ever(rules)]
    index.Index(store, rules).put(carriers)
    hints = [articles.hint(n, name) for name, row in after.items() for n in row.ever_named]
    store.mutate(articles.TABLE, hints)
    store.mutate(articles.TABLE, [articles.events_of(name, row) for name, row in after.items()])


def _keys_of_current_only(self: Any, rules: Any) -> frozenset[Any]:
    return self.current.keys(rules) if self.current is not None else frozenset()


def _without_tombstones(name: str, row: Any) -> Mutation:
    live = {p: c for p, c in row.contents.items() if c is not None}
    return _events_of(name, replace(row, contents=live))


_events_of = articles.events_of


def _edit_begins_anew(self: Any) -> Any:
    return self.current_position if self.current is not None else _first(self)


_first = vars(articles.ArticleRow)["first"].func


def _narrow_search(row: Any, brought: Any, rules: Any) -> Any:
    carried = articles.keys_of(brought.contents.values(), rules)
    until = timestamp_ms(row.first) + rules.window_ms
    return affected._Search(row.first, carried, until, wide=False)


def _token_before_put(store: Any, top: Any, run_put: Any, run_judge: Any) -> Any:
    entrance = ownership.enter(store, top)
    token = ownership.next_token(store)
    run_put()
    mark = ownership.mark_beside(store, entrance)
    return attempt.Attempted(token, mark, run_judge(token, mark))


def _mark_of_the_start(store: Any, entrance: Any) -> Any:
    del store
    return entrance.found


def _one_token(store: Any) -> bytes:
    del store
    return keys.token(1)


def _coarse_first(store: Any, minutes: Any, grains: Any) -> None:
    """Sums up the coarser periods before the finer ones that they are the sum of."""
    fine, coarse = grains
    summaries._sum_up(store, coarse, fine, sorted({coarse.begin(m) for m in minutes}))
    summaries._sum_up(store, fine, None, sorted({fine.begin(m) for m in minutes}))


def _beat_without_looking(self: Any) -> None:
    del self


def _send_without_intent(store: Any, token: bytes, due: Any, send: Any, owner: str | None) -> None:
    if owner is not None:
        lease.check(store, owner)
    send(each.message for each in due)
    announcements._note(store, token, due, announcements._SENT)


def _note_before_sending(store: Any, token: bytes, due: Any, send: Any, owner: str | None) -> None:
    if owner is not None:
        lease.check(store, owner)
    announcements._note(store, token, due, announcements._SENT)
    send(each.message for each in due)


def _from_the_next_step_of_time(moment_ms: int) -> bytes:
    return at(moment_ms + 1)


def _forget_after_the_window(self: Any) -> int:
    return int(self.rules.window_ms)


_lost: list[Any] = []


def _answer_of_another_call(_: Any, apply: Callable[[], Any]) -> Any:
    """After a reply was lost, the next call on the connection gets it."""
    order = pause() if greenlet.getcurrent().parent is not None else Order.GO
    answer = apply()
    if order is not Order.GO:
        _lost.append(answer)
        return None
    if _lost and isinstance(_lost[-1], type(answer)):
        return _lost.pop()
    return answer


def _candidates_by_any_key(snap: Any, names: Any) -> Any:
    """What an article carried once is compared with what it says now."""
    found = {name: [*compared] for name, compared in _candidates(snap, names).items()}
    for name, compared in found.items():
        first, content = snap.article(name).first, snap.article(name).current
        for key in snap.carried(name):
            for other in snap.near(key):
                for position, article in snap.visible(other, first):
                    current = snap.article(article).current
                    known = {candidate.article for candidate in compared}
                    if current is not None and article not in known:
                        compared.append(
                            Candidate(article, position, replace(content, source="stale"))
                        )
    return found


_candidates = decision.candidates


def _compared_as_whoever_asked_first(self: Any, key: Any, first: Any) -> Any:
    asked: dict[Any, Any] = self.__dict__.setdefault("asked", {})
    return asked.setdefault(key, _compared(self, key, first))


_compared = snapshot.Snapshot.compared


class _NeighboursFirst:
    """A store in which a scope's log is told of neighbours before lists are written."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._held: list[Any] = []

    def mutate(self, table: str, mutations: Any) -> None:
        if table == similar.LISTS:
            self._held = list(mutations)
            return
        self._store.mutate(table, mutations)
        self._store.mutate(similar.LISTS, self._held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _rank_neighbours_first(store: Any, *arguments: Any, **named: Any) -> Any:
    return _rank(_NeighboursFirst(store), *arguments, **named)


_rank = ranking.rank


def _deleted_if_gone(*arguments: Any, deleted: bool) -> Mutation:
    del deleted
    return _judged(*arguments, deleted=True)


_judged = similar.judged


def _rank_while_filling(store: Any, known: Any, touched: Any, waiting: Any) -> Any:
    filled = {name: replace(log, filled=True) for name, log in known.logs.items()}
    return _scopes_to_rank(store, replace(known, logs=filled), touched, waiting)


_scopes_to_rank = succession.scopes_to_rank


def _cite_matches_only(self: Any) -> frozenset[str]:
    names = (self.duplicate_of, self.template_of, *(match.article for match in self.matches))
    return frozenset(name for name in names if name)


BUGS: dict[str, Bug] = {
    "neighbours written before lists": Bug(
        {(world, "rank"): _rank_neighbours_first}, ("storm", "crash")
    ),
    "those whose neighbour was judged not ranked again": Bug({(ranking, "_naming"): _nothing}),
    "earlier articles come into no later list": Bug({(ranking, "_challengers"): _nothing}),
    "articles ranked against a part of the others": Bug(
        {(world, "scopes_to_rank"): _rank_while_filling}, ("models",)
    ),
    "a channel takes away the list of an article that left it": Bug(
        {(similar, "judged"): _deleted_if_gone}
    ),
    "a model taken up again with its old log": Bug({(models, "forget"): _nothing}, ("models",)),
    "no barrier": Bug({(world.World, "barrier"): False}),
    "head surplus dropped": Bug({(index.Index, "move_surplus"): _surplus("head")}, style="hot"),
    "boundary forgotten": Bug(
        {(index.Index, "move_surplus"): _surplus("tail", "head")}, style="hot"
    ),
    "boundary set after the deletion": Bug(
        {(index.Index, "move_surplus"): _surplus("tail", "head", "boundary")}, ("storm",), "hot"
    ),
    "surplus deleted before it is moved": Bug(
        {(index.Index, "move_surplus"): _surplus("boundary", "head", "tail")}, ("storm",), "hot"
    ),
    "head trusted whole": Bug(
        {(index.Head, "answers"): lambda *_: True, (index.Head, "trusted"): lambda s: s.entries},
        style="hot",
    ),
    "stale entry believed": Bug({(snapshot._Reading, "settle"): _believe_any_entry}),
    "stale finding believed": Bug({(decision, "candidates"): _candidates_by_any_key}),
    "what one article sees shown to all": Bug(
        {(snapshot.Snapshot, "compared"): _compared_as_whoever_asked_first}
    ),
    "first not lowered by a late create": Bug({(world, "put"): _entries_as_of_the_read}),
    "an edit begins anew": Bug({(articles.ArticleRow, "first"): property(_edit_begins_anew)}),
    "tombstone forgotten": Bug({(articles, "events_of"): _without_tombstones}),
    "late displacement ignored": Bug({(affected, "_sharing"): lambda *_: set()}),
    "citing articles ignored": Bug({(affected, "_citing"): _nothing}),
    "refused candidates not cited": Bug({(Verdict, "cited"): _cite_matches_only}),
    "former window ignored when first goes down": Bug(
        {(affected, "_search"): _narrow_search}, ("calm",), "hot"
    ),
    "superseded versions not indexed": Bug(
        {(articles.ArticleRow, "keys_ever"): _keys_of_current_only}
    ),
    "window off by one": Bug({(snapshot, "at"): _from_the_next_step_of_time}),
    "verdicts not fenced": Bug(
        {(ownership, "next_token"): _one_token},
        ("zombie", "takeover", "all"),
    ),
    "counts not fenced": Bug(
        {(statistics, "ownership"): SimpleNamespace(next_token=_one_token)}, ("takeover",)
    ),
    "sums not fenced": Bug(
        {(summaries, "ownership"): SimpleNamespace(next_token=_one_token)}, ("takeover",)
    ),
    "days summed up beside their hours": Bug({(summaries, "summarise"): _coarse_first}, ("calm",)),
    "lease not checked": Bug(
        {
            (lease, "check"): _nothing,
            (lease.Lease, "beat"): _beat_without_looking,
        },
        ("stall",),
    ),
    "announced without an intent": Bug(
        {(announcements, "deliver"): _send_without_intent}, ("storm",), "late"
    ),
    "announcement noted before it is sent": Bug(
        {(announcements, "deliver"): _note_before_sending}, ("crash", "all")
    ),
    "editors' hints not written": Bug(
        {(articles, "hint"): lambda n, _: Mutation(keys.article(n), {})}
    ),
    "named articles not judged again": Bug(
        {(articles.ArticleRow, "ever_named"): property(lambda _: frozenset())}
    ),
    "token taken before the puts": Bug({(world, "attempt"): _token_before_put}, ("two",)),
    "another query's mark ignored": Bug(
        {(ownership, "mark_beside"): _mark_of_the_start}, ("two",), "hot"
    ),
    "rows of two queries not read again": Bug(
        {(articles.ArticleRow, "differs"): lambda *_: False}, ("two",)
    ),
    "reply of another call accepted": Bug(
        {(SteppingStore, "_step"): _answer_of_another_call}, ("crash",)
    ),
    "tables forget too soon": Bug(
        {(History, "forget_ms"): property(_forget_after_the_window, lambda *_: None)},
        ("expiry",),
    ),
}
