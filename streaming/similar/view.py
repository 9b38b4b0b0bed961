"""TEMPORARY brute-force view."""
from collections.abc import Collection, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streaming.position import Position, timestamp_ms
from streaming.similar.description import Description
from streaming.similar.entries import Neighbours, Row, Standing
from streaming.similar.lists import Member, best_of
from streaming.similar.scoring import Ranking, comparable, score


@dataclass(frozen=True, slots=True)
class Challenger:
    article: str
    described: Description
    first: Position
    published_ms: int
    until_ms: int


class View:
    def __init__(self, ranking: Ranking, directory: Path | None = None) -> None:
        self._ranking = ranking
        self.reached = b""
        self._standing: dict[str, tuple[bytes, Standing | None]] = {}
        self._described: dict[str, tuple[Position, Description]] = {}
        self._neighbours: dict[str, tuple[bytes, Neighbours]] = {}

    @classmethod
    @contextmanager
    def locked(cls, directory, ranking):
        yield cls(ranking)

    def apply(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.reached = max(self.reached, row.token)
            if row.judged and row.token >= self._standing.get(row.article, (b"", None))[0]:
                self._standing[row.article] = (row.token, row.standing)
            if row.described is not None:
                known = self._described.get(row.article)
                if known is None or known[0] < row.described[0]:
                    self._described[row.article] = row.described
            if row.neighbours is not None:
                if row.token >= self._neighbours.get(row.article, (b"", ()))[0]:
                    self._neighbours[row.article] = (row.token, row.neighbours)

    def rankable(self, article: str) -> bool:
        standing = self.standing(article)
        described = self._described.get(article)
        return standing is not None and described is not None and described[0] == standing.position

    def articles(self) -> list[str]:
        return [name for name in self._standing if self.rankable(name)]

    def standing(self, article: str) -> Standing | None:
        return self._standing.get(article, (b"", None))[1]

    def described(self, article: str) -> Description | None:
        return self._described[article][1] if self.rankable(article) else None

    def neighbours(self, article: str) -> Neighbours | None:
        found = self._neighbours.get(article)
        return None if found is None else found[1]

    def naming(self, articles: Collection[str]) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {name: [] for name in articles}
        for other, (_, neighbours) in self._neighbours.items():
            for name, value in neighbours:
                if name in found:
                    found[name].append((other, value))
        return found

    def unranked(self, limit: int) -> list[str]:
        waiting = [n for n in self.articles() if n not in self._neighbours]
        return sorted(waiting, key=lambda n: self._standing[n][1].first)[:limit]

    def best(self, articles: Sequence[str]) -> list[Neighbours]:
        out = []
        for name in articles:
            s = self.standing(name)
            out.append(self.best_for(self._described[name][1], s.first, s.published_ms, name))
        return out

    def best_for(self, described, first, published_ms, exclude=None) -> Neighbours:
        low = timestamp_ms(first) - self._ranking.window_ms
        members = []
        for other in self.articles():
            s = self.standing(other)
            if other == exclude or not s.first < first or timestamp_ms(s.first) < low:
                continue
            d = self._described[other][1]
            if comparable(described, d):
                value = score(self._ranking, described, d, published_ms - s.published_ms)
                members.append(Member(other, value, s.first, s.story))
        return best_of(self._ranking, members)

    def challenged(self, challengers: Sequence[Challenger]) -> set[str]:
        found = set()
        for c in challengers:
            for name in self.articles():
                s = self.standing(name)
                known = self.neighbours(name)
                if name == c.article or known is None or not c.first < s.first:
                    continue
                if timestamp_ms(s.first) > c.until_ms:
                    continue
                d = self._described[name][1]
                bound = known[-1][1] if len(known) == self._ranking.size else 1
                if comparable(d, c.described) and score(self._ranking, d, c.described, s.published_ms - c.published_ms) >= bound:
                    found.add(name)
        return found
