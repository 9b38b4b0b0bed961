"""What the log of a scope says of its articles, row by row, and what a view of it is asked.

The log has a row per article and attempt. Rows of the same article are told apart by the
attempt's token: each kind of cell counts from the row with the largest token that has it.
"""

from dataclasses import dataclass

from streaming.position import Position
from streaming.similar.description import Description
from streaming.similar.places import Places

Neighbours = tuple[tuple[str, int], ...]
"""Earlier articles like one, the best first, each with its score in millionths."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an article of a scope is at the moment.

    ``position`` is that of its current content, ``first`` when it first appeared, and
    ``published_ms`` when it was published, by the newsroom's account if there is one.
    ``story`` is the article that this one duplicates, or else itself.
    """

    position: Position
    first: Position
    published_ms: int
    story: str


GONE = None
"""In place of a standing: the article is deleted, or in another channel now."""


@dataclass(frozen=True, slots=True)
class Described:
    """A description as the log has it: with the version of the article that it is of.

    ``first`` is what the article's `first` was when this was written; the description is
    encoded.
    """

    position: Position
    first: Position
    published_ms: int
    description: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the log.

    A cell that the row does not have is None, but for ``standing``: that counts only where
    ``judged``. ``described`` is a description with the position of the content it is of.
    """

    article: str
    token: bytes
    judged: bool = False
    standing: Standing | None = GONE
    described: tuple[Position, Description] | None = None
    neighbours: Neighbours | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A text whose neighbours are sought; ``own`` is a description not among them, or -1.

    ``until_ms`` is up to when those appeared whom it may challenge, inclusive.
    """

    described: Description
    first: Places
    published_ms: int
    own: int = -1
    until_ms: int = 0
