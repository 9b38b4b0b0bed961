"""The third part of a micro-batch: who is like whom, after everybody was judged.

A scope is ranked by one task at a time, under one model. What it writes follows from the
log of the scope, which the judges wrote before; and whom it ranks again follows from whom
they judged, never from what that changed, so that an attempt which died is made up for.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from streaming.position import timestamp_ms
from streaming.similar.description import Description
from streaming.similar.entries import Described, Neighbours, Standing
from streaming.similar.scoring import Ranking
from streaming.similar.view import Challenger, View
from streaming.store import similar
from streaming.store.contract import Store
from streaming.store.models import FROM_THE_START
from streaming.store.similar import Logged

_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Ranked:
    """What ranking a scope did: how many articles it ranked, and the lists of those judged.

    ``waiting`` says that there may be articles left that were never ranked.
    """

    articles: int
    judged: dict[str, Neighbours]
    waiting: bool


def rank(
    store: Store,
    view: View,
    ranking: Ranking,
    model: str,
    scope: str,
    token: bytes,
    mark: bytes | None,
    *,
    since: bytes = FROM_THE_START,
    backlog: int = 0,
) -> Ranked:
    """Rank what the attempt with this token judged in a scope, and those whom that concerns.

    To be called when everything is judged. ``view`` is brought up to date; it is the fold of
    this scope's log, or of a beginning of it, which counts from the token ``since`` on.
    ``mark`` is as for `judge`. Up to ``backlog`` articles that were never ranked are ranked
    as well.

    Lists are written before the neighbours that they follow from: whoever repeats this finds
    the neighbours as they were, and so all lists that have to be written.
    """
    mine = catch_up(store, view, model, scope, since, token)
    judged = {each.row.article for each in mine}
    concerned = {*judged, *_naming(view, judged)}
    concerned |= view.challenged(list(_challengers(view, ranking, mine, mark)))
    waiting = view.unranked(backlog) if backlog else []
    names = sorted(view.rankable_of(concerned).union(waiting))
    found = dict(zip(names, view.best(names), strict=True))
    renewed = found | dict.fromkeys(judged - found.keys(), ())
    deleted = {each.row.article for each in mine if each.deleted}
    lists = _to_write(view, renewed, _as_if_live(view, mine))
    # What is in another scope now has its list there.
    kept = deleted | view.rankable_of(lists)
    lists = {name: members for name, members in lists.items() if name in kept}
    _write_lists(store, model, lists)
    rows = [similar.ranked(model, scope, token, name, found[name]) for name in names]
    store.mutate(similar.LOG, rows)
    lists_of_judged = {name: lists[name] for name in sorted(judged & lists.keys())}
    return Ranked(len(names), lists_of_judged, waiting=0 < backlog == len(waiting))


def catch_up(
    store: Store, view: View, model: str, scope: str, since: bytes, token: bytes | None = None
) -> list[Logged]:
    """Bring a view up to date with its log, which counts from the token ``since`` on.

    Gives the rows of what the attempt with a token judged.
    """
    mine = []
    log = similar.read_log(store, model, scope, max(since, view.reached))
    while page := list(islice(log, _PAGE)):
        view.apply(each.row for each in page)
        mine += [each for each in page if each.row.token == token and each.row.judged]
    return mine


def _challengers(
    view: View, ranking: Ranking, judged: Iterable[Logged], mark: bytes | None
) -> Iterator[Challenger]:
    """Give what may have come between others and their neighbours, whatever stood before.

    That is what a judged article is now, and every version of it in the batch. An article
    that begins after the mark is seen by nobody outside the batch.
    """
    for each in judged:
        name, stands = each.row.article, [each.row.standing] if each.row.standing else []
        told: list[Described | Standing] = [*each.versions, *stands]
        if mark is None or not told or min(known.first for known in told) > mark:
            continue
        until_ms = timestamp_ms(max(known.position for known in told)) + ranking.window_ms
        brought = {version.position for version in each.versions}
        for version in each.versions:
            text = Description.decode(version.description)
            yield Challenger(name, text, version.first, version.published_ms, until_ms)
        current = view.described(name)
        for standing in stands:
            if current is not None and standing.position not in brought:
                published_ms = standing.published_ms
                yield Challenger(name, current, standing.first, published_ms, until_ms)


def _as_if_live(view: View, judged: Iterable[Logged]) -> set[str]:
    """Give whose lists an attempt that died may have put a superseded version into."""
    found: set[str] = set()
    for each in judged:
        standing = each.row.standing
        for described in each.versions:
            if standing is None or described.position != standing.position:
                description = Description.decode(described.description)
                near = view.best_for(
                    description, described.first, described.published_ms, each.row.article
                )
                found.update(name for name, _ in near)
    return found


def _naming(view: View, articles: Collection[str]) -> set[str]:
    return {other for named in view.naming(articles).values() for other, _ in named}


def _to_write(
    view: View, renewed: Mapping[str, Neighbours], others: Collection[str]
) -> dict[str, Neighbours]:
    """Give the lists, as they have to be now, that may not be so in the store.

    An article that was never ranked before can be in no list yet, but for what an attempt
    that died may have written into those of ``others``; so lists in which it will not be
    either need not be looked at.
    """
    surely = {*renewed, *others}
    perhaps: dict[str, set[str]] = defaultdict(set)
    stood = view.neighbours_of(list(renewed))
    for name, neighbours in renewed.items():
        before = stood.get(name)
        if before is None:
            for other, _ in neighbours:
                perhaps[other].add(name)
        else:
            surely.update(other for other, _ in (*before, *neighbours))
    lists = view.lists(sorted({*surely, *perhaps}), renewed)
    return {
        name: found
        for name, found in lists.items()
        if name in surely or not perhaps[name].isdisjoint(other for other, _ in found)
    }


def _write_lists(store: Store, model: str, lists: Mapping[str, Neighbours]) -> None:
    stored = similar.read_lists(store, model, list(lists))
    mutations = []
    for name, neighbours in lists.items():
        wanted, known = dict(neighbours), stored[name]
        put = {other: score for other, score in wanted.items() if known.get(other) != score}
        gone = [other for other in known if other not in wanted]
        if put or gone:
            mutations.append(similar.change_of_list(model, name, put, gone))
    store.mutate(similar.LISTS, mutations)
