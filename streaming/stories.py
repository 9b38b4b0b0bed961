"""Roots of stories in a store, looked up along the chains of verdicts.

With a ranking of sources, the root of a story is its earliest article of the best ranked
source that it has, wherever the chain ends: the agency's own report, even when a repost of
it arrived first.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import orjson

from streaming.matching.overrides import ORIGINAL_OF
from streaming.matching.stories import Member, chain_end, link, precedes
from streaming.position import Position
from streaming.store import articles
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store

_PAGE = 1_000
_REMEMBERED = 200_000


class Stories:
    """Resolves roots as of now; what was read is remembered, so make a new one for later.

    ``sources`` are names of sources, the best first. With them, the first question reads
    the whole table of articles.
    """

    def __init__(self, store: Store, sources: Sequence[str] = ()) -> None:
        self._store = store
        self._rank = {source: place for place, source in enumerate(sources)}
        self._members: dict[str, Member] = {}
        self._leads: Mapping[str, str] | None = None

    def roots(self, rows: Mapping[str, ArticleRow]) -> dict[str, str]:
        """Give the root of the story of each of these articles."""
        if self._rank and self._leads is None:
            self._leads = self._find_leads()
        leads = self._leads or {}
        return {name: leads.get(end, end) for name, end in self._ends(rows).items()}

    def _ends(self, rows: Mapping[str, ArticleRow]) -> dict[str, str]:
        if len(self._members) > _REMEMBERED:
            self._members.clear()
        self._members.update({name: _member(row) for name, row in rows.items()})
        asked = _linked(self._members[name] for name in rows)
        while missing := asked - self._members.keys():
            found = articles.read(self._store, missing)
            self._members.update({name: _member(row) for name, row in found.items()})
            asked = _linked(self._members[name] for name in missing)
        return {name: chain_end(name, self._members) for name in rows}

    def _find_leads(self) -> dict[str, str]:
        """Give who stands for the stories that have a member with a ranked source."""
        best: dict[str, tuple[int, Position, str]] = {}
        rows = articles.scan(self._store)
        while page := dict(islice(rows, _PAGE)):
            ranked = {
                name: row
                for name, row in page.items()
                if row.current is not None and row.current.source in self._rank
            }
            for name, end in self._ends(ranked).items():
                member = self._members[name]
                if precedes(self._rank, member, self._members[end]):
                    mine = (self._rank[member.source], member.first, name)
                    best[end] = min(mine, best.get(end, mine))
        return {end: name for end, (_, _, name) in best.items()}


def _member(row: ArticleRow) -> Member:
    if row.first is None or row.current is None or not row.verdict:
        return Member(row.first or Position(b""))
    fields = orjson.loads(row.verdict)
    return Member(
        row.first,
        link(fields["duplicate_of"], fields["relation"]),
        row.current.source,
        any(kind == ORIGINAL_OF for kind, _ in fields["overrides"]),
    )


def _linked(members: Iterable[Member]) -> set[str]:
    return {member.link for member in members if member.link is not None}
