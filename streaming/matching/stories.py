"""The root of a story: where a chain of duplicates ends, or who should stand for it.

Chains are resolved when they are read; a verdict never depends on another verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from streaming.matching.verification import Relation
from streaming.position import Position


@dataclass(frozen=True, slots=True)
class Member:
    """An article as part of a story.

    ``link`` is the earlier article that it duplicates, None for an original. ``declared``
    tells that an editor made it the original of another one's story.
    """

    first: Position
    link: str | None = None
    source: str = ""
    declared: bool = False


def link(duplicate_of: str | None, relation: str | None) -> str | None:
    """Give the next article of a chain: only duplicates are links, excerpts are not."""
    return duplicate_of if relation == Relation.DUPLICATE else None


def chain_end(name: str, members: Mapping[str, Member]) -> str:
    """Give the end of an article's chain among ``members``; an original is its own.

    Editors may name each other's articles in a circle: it ends at its earliest member.
    """
    path = [name]
    while True:
        member = members.get(path[-1])
        if member is None or member.link is None:
            return path[-1]
        if member.link in path:
            circle = path[path.index(member.link) :]
            return min(circle, key=lambda each: members[each].first)
        path.append(member.link)


def precedes(rank: Mapping[str, int], member: Member, end: Member) -> bool:
    """Whether a member with a ranked source may stand for a story that ends elsewhere.

    What an editor said about the end of the chain wins over any ranking.
    """
    return member.source in rank and not end.declared
