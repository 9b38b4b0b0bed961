"""What comes into a list, of all that could."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from streaming.position import Position
from streaming.similar.entries import Neighbours
from streaming.similar.scoring import Ranking


class Member(NamedTuple):
    """An article that may come into a list; ``score`` is that with the list's own, in millionths.

    ``story`` is the article that it duplicates, or else itself.
    """

    article: str
    score: int
    first: Position
    story: str


def best_of(ranking: Ranking, members: Iterable[Member]) -> Neighbours:
    """Give the best members, the best first; of equally good ones the later comes first.

    Copies must not crowd a list, so each story has a few places in it and no more; those
    with a score of 0 have none.
    """
    taken: Counter[str] = Counter()
    best: list[tuple[str, int]] = []
    for member in sorted(members, key=_goodness, reverse=True):
        if len(best) == ranking.size or member.score < 1:
            break
        if taken[member.story] < ranking.per_story:
            taken[member.story] += 1
            best.append((member.article, member.score))
    return tuple(best)


def _goodness(member: Member) -> tuple[int, Position]:
    return member.score, member.first
