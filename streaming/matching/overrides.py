"""What editors say of pairs of articles; it wins over what the rules find.

An override is an event of the log, kept with the article that it is about. Which of them
stand is folded from their positions, so it does not depend on when they were read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from streaming.position import Position


class Ruling(StrEnum):
    """What an editor says of an article; the words are those of the event."""

    ORIGINAL = "original"
    """The original of its story is the other article."""
    NOT_DUPLICATE = "not_duplicate"
    """It does not repeat the other article."""
    RELEASED = "released"
    """What was said of it and the other article, or of it and any, is taken back."""


ORIGINAL_OF = "original_of"
"""How a verdict lists the ruling that made its article the original of another one's story."""


@dataclass(frozen=True, slots=True)
class Override:
    """One editorial event; ``other`` is None only where everything is released.

    ``by`` and ``note`` are for people, and decide nothing.
    """

    ruling: Ruling
    other: str | None
    by: str | None = None
    note: str | None = None

    def encode(self) -> bytes:
        """Encode as a cell value; equal overrides give equal bytes."""
        return orjson.dumps([self.ruling, self.other, self.by, self.note])

    @classmethod
    def decode(cls, cell: bytes) -> "Override":
        """Read `encode`'s bytes."""
        ruling, other, by, note = orjson.loads(cell)
        return cls(Ruling(ruling), other, by, note)


@dataclass(frozen=True, slots=True)
class Standing:
    """The rulings on one article that stand: at most one original, any number of refusals."""

    original: str | None = None
    refused: frozenset[str] = frozenset()


NOTHING_SAID = Standing()


def standing(overrides: Mapping[Position, Override]) -> Standing:
    """Fold an article's overrides; of two about the same pair the later one stands."""
    if not overrides:
        return NOTHING_SAID
    latest = dict(in_force(overrides))
    original = next((o for o, each in latest.items() if each.ruling is Ruling.ORIGINAL), None)
    refused = (o for o, each in latest.items() if each.ruling is Ruling.NOT_DUPLICATE)
    return Standing(original, frozenset(refused))


def in_force(overrides: Mapping[Position, Override]) -> Iterator[tuple[str, Override]]:
    """Give the overrides that stand, by the other article, in the order of their positions."""
    latest: dict[str, Override] = {}
    for position in sorted(overrides):
        override = overrides[position]
        if override.other is None:
            latest.clear()
            continue
        latest.pop(override.other, None)
        if override.ruling is Ruling.ORIGINAL:
            # A story has one original: naming another one replaces the former.
            latest = {o: e for o, e in latest.items() if e.ruling is not Ruling.ORIGINAL}
        if override.ruling is not Ruling.RELEASED:
            latest[override.other] = override
    yield from latest.items()


@dataclass(frozen=True, slots=True)
class Editorial:
    """All that editors say about one article when it is judged.

    ``original_lives`` tells whether the original that ``own`` names is there to be named.
    ``original_of`` are the articles whose standing override names this one the original.
    """

    own: Standing = NOTHING_SAID
    original_lives: bool = False
    original_of: frozenset[str] = frozenset()

    def refusal(self, other: str) -> str | None:
        """Say why the article does not repeat ``other``, if an editor says that it does not."""
        if other in self.own.refused:
            return Ruling.NOT_DUPLICATE.value
        return ORIGINAL_OF if self.original_of else None

    def rulings(self) -> tuple[tuple[str, str], ...]:
        """List the rulings as verdicts show them: kind, other article."""
        named = [(Ruling.ORIGINAL.value, self.own.original)] if self.own.original else []
        named += [(Ruling.NOT_DUPLICATE.value, other) for other in sorted(self.own.refused)]
        named += [(ORIGINAL_OF, other) for other in sorted(self.original_of)]
        return tuple(named)


NO_EDITOR = Editorial()
