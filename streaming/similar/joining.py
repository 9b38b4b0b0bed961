"""Lists of both directions, many at once: each article's neighbours, and those whose it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.similar.entries import Neighbours
from streaming.similar.fold import NEVER, Fold

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Who may come into whose list, with which score; arrays of one length."""

    owners: Numbers
    members: Numbers
    scores: Numbers

    def where(self, chosen: NDArray[np.bool_] | Numbers) -> "_Pairs":
        return _Pairs(self.owners[chosen], self.members[chosen], self.scores[chosen])


def join(
    fold: Fold, articles: Sequence[str], renewed: Mapping[str, Neighbours]
) -> dict[str, Neighbours]:
    """Give the list of each article: the best of its neighbours and of those whose it is.

    ``renewed`` goes before what the log says of somebody's neighbours. Neighbours of articles
    that cannot be ranked do not count, and their own lists are empty. Exactly what
    `lists.best_of` gives.
    """
    own = _numbers(fold, articles)
    rankable = _rankable(fold)
    wanted = np.zeros(fold.names.count, np.bool_)
    wanted[own[own >= 0]] = True
    wanted &= rankable
    pairs = _pairs(fold, renewed)
    backwards = _Pairs(pairs.members, pairs.owners, pairs.scores)
    parts = [each.where(wanted[each.owners]) for each in (pairs, backwards)]
    both = _Pairs(
        np.concatenate([part.owners for part in parts]),
        np.concatenate([part.members for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )
    best = _best(fold, both.where(rankable[both.members] & rankable[both.owners]))
    lists: dict[str, Neighbours] = dict.fromkeys(articles, ())
    if not len(best.owners):
        return lists
    starts = np.flatnonzero(np.diff(best.owners, prepend=-1))
    ends = [*starts[1:].tolist(), len(best.owners)]
    names = fold.names.ids(best.members.tolist())
    scores = best.scores.tolist()
    named = dict(zip(own.tolist(), articles, strict=True))
    for owner, start, end in zip(best.owners[starts].tolist(), starts.tolist(), ends, strict=True):
        lists[named[owner]] = tuple(zip(names[start:end], scores[start:end], strict=True))
    return lists


def _numbers(fold: Fold, articles: Sequence[str]) -> Numbers:
    return fold.names.find(articles) if len(articles) else np.zeros(0, np.int64)


def _rankable(fold: Fold) -> NDArray[np.bool_]:
    described = fold.articles.data["described"][: fold.names.count].astype(np.int64) - 1
    found: NDArray[np.bool_] = described >= 0
    found[found] = fold.appeared[described[found]] != NEVER
    return found


def _pairs(fold: Fold, renewed: Mapping[str, Neighbours]) -> _Pairs:
    """Give everybody's neighbours, of those whose are renewed the new ones."""
    records = fold.articles.data[: fold.names.count]
    counts = records["neighbours"].astype(np.int64)
    renewing = _numbers(fold, list(renewed))
    counts[renewing[renewing >= 0]] = 0
    owners = np.flatnonzero(counts)
    table = fold.neighbours.data[owners]
    within = np.arange(table.shape[1]) < counts[owners, None]
    ids = [other for neighbours in renewed.values() for other, _ in neighbours]
    lengths = [len(neighbours) for neighbours in renewed.values()]
    new_scores = [score for neighbours in renewed.values() for _, score in neighbours]
    return _Pairs(
        np.concatenate([np.repeat(owners, counts[owners]), np.repeat(renewing, lengths)]),
        np.concatenate([table[within].astype(np.int64), _numbers(fold, ids)]),
        np.concatenate(
            [fold.scores.data[owners][within].astype(np.int64), np.array(new_scores, np.int64)]
        ),
    )


def _best(fold: Fold, pairs: _Pairs) -> _Pairs:
    """Give the best members of each list, one list after the other, the best first."""
    records = fold.articles.data[pairs.members]
    keys = fold.topics.keys(records["first"])
    order = np.lexsort((*keys, pairs.scores, -pairs.owners))[::-1]
    pairs, stories = pairs.where(order), records["story"][order]
    by_story = np.lexsort((stories, pairs.owners))
    changes = (np.diff(pairs.owners[by_story], prepend=-1) != 0) | (
        np.diff(stories[by_story].astype(np.int64), prepend=-1) != 0
    )
    kept = np.zeros(len(pairs.owners), np.bool_)
    kept[by_story] = _places(changes) < fold.ranking.per_story
    pairs = pairs.where(kept)
    return pairs.where(_places(np.diff(pairs.owners, prepend=-1) != 0) < fold.ranking.size)


def _places(begins: NDArray[np.bool_]) -> Numbers:
    """Give the place of each in its run; ``begins`` tells where runs begin."""
    numbers = np.arange(len(begins))
    return numbers - np.maximum.accumulate(np.where(begins, numbers, 0))
