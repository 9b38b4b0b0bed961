"""Compare two exports of verdicts, article by article, in one pass over both."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from streaming.exporting import Line
from streaming.store import keys


@dataclass(frozen=True, slots=True)
class Pair:
    """An article's exported verdict on either side; None where it has none."""

    article: str
    a: Line | None
    b: Line | None

    @property
    def same(self) -> bool:
        """Whether both sides say the same."""
        return self.a == self.b

    @property
    def differing(self) -> list[str]:
        """The fields in which the two differ, in order; none if one of them is missing."""
        if self.a is None or self.b is None:
            return []
        names = dict.fromkeys((*self.a, *self.b))
        return [name for name in names if self.a.get(name) != self.b.get(name)]

    def fields(self) -> Line:
        """Give the pair as a line of JSON."""
        return {"article_id": self.article, "differing": self.differing, "a": self.a, "b": self.b}


@dataclass(slots=True)
class Tally:
    """How many articles are the same on both sides, and in which fields the others differ."""

    equal: int = 0
    differing: int = 0
    only_a: int = 0
    only_b: int = 0
    fields: Counter[str] = field(default_factory=Counter)

    @property
    def articles(self) -> int:
        """Articles on either side."""
        return self.equal + self.differing + self.only_a + self.only_b

    def add(self, pair: Pair) -> None:
        """Count an article."""
        if pair.same:
            self.equal += 1
        elif pair.b is None:
            self.only_a += 1
        elif pair.a is None:
            self.only_b += 1
        else:
            self.differing += 1
            self.fields.update(pair.differing)


def pairs(a: Iterable[Line], b: Iterable[Line]) -> Iterator[Pair]:
    """Bring the verdicts of the same article together, in the order in which exports are.

    Remembers nothing of what it gave. What is written meanwhile may be seen on one side only.
    """
    both = heapq.merge(_tagged(a, 0), _tagged(b, 1), key=lambda tagged: tagged[:2])
    for _, lines in groupby(both, key=lambda tagged: tagged[0]):
        found = {side: line for _, side, line in lines}
        article = next(iter(found.values()))["article_id"]
        yield Pair(article, found.get(0), found.get(1))


def _tagged(lines: Iterable[Line], side: int) -> Iterator[tuple[bytes, int, Line]]:
    for line in lines:
        yield keys.article(line["article_id"]), side, line
