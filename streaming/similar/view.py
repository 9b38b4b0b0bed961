"""What can be ranked of a scope, and the neighbours everybody has: a host's copy of its log.

A view is a fold of the log's rows and nothing else; it can always be made again. It lives in
memory, or in a directory that the processes of a host use in turn. `search` says how
neighbours are found, `fold` how it is kept.
"""

import fcntl
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from streaming.position import Position
from streaming.similar.description import Description
from streaming.similar.entries import Neighbours, Row, Standing, Subject
from streaming.similar.fold import NEVER, Fold
from streaming.similar.joining import join
from streaming.similar.scoring import Ranking

if TYPE_CHECKING:
    from streaming.similar.search import Search

_LOCK = "view.lock"


@dataclass(frozen=True, slots=True, eq=False)
class Challenger:
    """An article that may belong into the lists of later ones.

    Those are articles that appeared until ``until_ms``, inclusive.
    """

    article: str
    described: Description
    first: Position
    published_ms: int
    until_ms: int


class View:
    """Fold of a scope's log: what can be ranked, and the neighbours everybody has.

    An article is *rankable* if it stands, and the description with the largest position
    that the log has of it is that of its current content.

    With a directory, the constructor waits until no other process has the view, and `close`
    lets the next one in. What is there and was made for another ranking or by another version
    of this program, or before the last start of the machine, is discarded. A process may be
    killed at any moment: the next one finds `reached` where all rows up to it are whole, and
    has to apply those from it on before it asks for anything. Without a directory nothing is
    kept.

    Not to be used by several threads at once. Raises OSError if the disk refuses.
    """

    def __init__(self, ranking: Ranking, directory: Path | None = None) -> None:
        self.ranking = ranking
        self._directory = directory
        self._lock: int | None = None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._fold = Fold(ranking, directory)
        except BaseException:
            self.close()
            raise
        self._search: Search | None = None

    @property
    def reached(self) -> bytes:
        """The largest token applied so far, b"" at first; durable with the rest."""
        return self._fold.progress.reached

    def apply(self, rows: Iterable[Row]) -> None:
        """Take in rows of the log, in any order, and any of them again.

        Of each article the largest token counts, apart for its standing and its neighbours;
        of descriptions the one with the largest position. Raises ValueError for a token of
        more than 8 bytes, a list longer than the ranking's, and vectors of differing sizes.
        """
        self._search = None
        self._fold.apply(rows)

    def rankable(self, article: str) -> bool:
        """Tell whether the article can be ranked, and be among the neighbours of others."""
        return bool(self.rankable_of([article]))

    def rankable_of(self, articles: Collection[str]) -> set[str]:
        """Give those of some articles that are `rankable`."""
        fold, asked = self._fold, list(articles)
        numbers = fold.names.find(asked)
        known = np.flatnonzero(numbers >= 0)
        owned = fold.articles.data["described"][numbers[known]].astype(np.int64) - 1
        known, owned = known[owned >= 0], owned[owned >= 0]
        return {asked[place] for place in known[fold.appeared[owned] != NEVER].tolist()}

    def standing(self, article: str) -> Standing | None:
        """Give what the article is; None if it is gone or was never judged."""
        number = self._number(article)
        if number < 0:
            return None
        record = self._fold.articles.data[number]
        if not record["present"]:
            return None
        return Standing(
            self._fold.topics.position(record["position"]),
            self._fold.topics.position(record["first"]),
            int(record["published"]),
            self._fold.names.id(int(record["story"])),
        )

    def articles(self) -> list[str]:
        """Give all rankable articles, in no particular order."""
        fold = self._fold
        numbers = np.flatnonzero(fold.appeared[: fold.progress.descriptions] != NEVER)
        return fold.names.ids(fold.described.data["article"][numbers].tolist())

    def described(self, article: str) -> Description | None:
        """Give the description of the article's current content; None if it is not rankable."""
        own = self._fold.own(self._number(article))
        return None if own < 0 else self._fold.description(own)

    def lists(
        self, articles: Sequence[str], renewed: Mapping[str, Neighbours]
    ) -> dict[str, Neighbours]:
        """Give lists of both directions: of an article's neighbours, and of those whose it is.

        Ordered and chosen as by `best`. ``renewed`` are neighbours that count instead of the
        log's. The list of an article that is not rankable is empty.
        """
        return join(self._fold, articles, renewed)

    def neighbours(self, article: str) -> Neighbours | None:
        """Give the article's neighbours as the log has them; None if it was never ranked."""
        return self.neighbours_of([article]).get(article)

    def neighbours_of(self, articles: Sequence[str]) -> dict[str, Neighbours]:
        """Give the neighbours of those of some articles that were ever ranked, likewise."""
        fold = self._fold
        numbers = fold.names.find(articles)
        known = np.flatnonzero(numbers >= 0)
        known = known[fold.articles.data["ranked_size"][numbers[known]] > 0]
        ranked = numbers[known]
        counts = fold.articles.data["neighbours"][ranked].astype(np.int64)
        within = np.arange(fold.neighbours.data.shape[1]) < counts[:, None]
        names = fold.names.ids(fold.neighbours.data[ranked][within])
        scores = fold.scores.data[ranked][within].tolist()
        ends = np.cumsum(counts)
        return {
            articles[place]: tuple(zip(names[start:end], scores[start:end], strict=True))
            for place, start, end in zip(
                known.tolist(), (ends - counts).tolist(), ends.tolist(), strict=True
            )
        }

    def naming(self, articles: Collection[str]) -> dict[str, list[tuple[str, int]]]:
        """Give for each article those whose neighbours it is among, with the score.

        In no particular order. Takes as long for one article as for thousands.
        """
        named: dict[str, list[tuple[str, int]]] = {article: [] for article in articles}
        fold, ids = self._fold, list(named)
        wanted = np.full(fold.names.count, -1, np.int64)
        numbers = fold.names.find(ids)
        wanted[numbers[numbers >= 0]] = np.flatnonzero(numbers >= 0)
        records = fold.articles.data[: fold.names.count]
        ranked = np.flatnonzero(records["neighbours"])
        neighbours = fold.neighbours.data[ranked]
        within = np.arange(neighbours.shape[1]) < records["neighbours"][ranked, None]
        hits = within & (wanted >= 0)[np.where(within, neighbours, 0)]
        rows, columns = np.nonzero(hits)
        scores = fold.scores.data[ranked[rows], columns].tolist()
        places = wanted[neighbours[rows, columns]].tolist()
        names = fold.names.ids(ranked[rows].tolist())
        for place, name, score in zip(places, names, scores, strict=True):
            named[ids[place]].append((name, score))
        return named

    def unranked(self, limit: int) -> list[str]:
        """Give rankable articles that were never ranked, those that appeared first first."""
        fold = self._fold
        articles = fold.described.data["article"][np.flatnonzero(fold.appeared != NEVER)]
        articles = articles[fold.articles.data["ranked_size"][articles] == 0]
        order = np.lexsort(fold.topics.keys(fold.articles.data["first"][articles]))
        return fold.names.ids(articles[order[:limit]].tolist())

    def best(self, articles: Sequence[str]) -> list[Neighbours]:
        """Find the neighbours of rankable articles, whatever the log says they are.

        Those are the best, at most `Ranking.size`, of the rankable articles that appeared
        before, within the window, are comparable, and score more than 0. Of equal scores the
        one that appeared later comes first; of one story no more than `Ranking.per_story`
        are taken. Raises ValueError if an article is not rankable.
        """
        numbers = self._fold.names.find(articles).tolist()
        return self._best([self._subject(*each) for each in zip(articles, numbers, strict=True)])

    def best_for(
        self, described: Description, first: Position, published_ms: int, exclude: str | None = None
    ) -> Neighbours:
        """Find the neighbours of a text that need not be in the view, as `best` does.

        ``exclude`` is an article that is not to be among them.
        """
        own = -1 if exclude is None else self._fold.own(self._number(exclude))
        place = self._fold.topics.place(first)
        return self._best([Subject(described, place, published_ms, own)])[0]

    def products(self, article: str) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
        """Compare a rankable article with all that could be in its list, one by one.

        Those are rankable, and appeared at most the window before or after it. Gives their
        ids, in no particular order, and the products of keyword weights and of vectors as
        `mix` takes them. Raises ValueError if the article is not rankable.
        """
        fold, number, described = self._fold, self._number(article), self.described(article)
        if described is None:
            raise ValueError(f"{article!r} has no description of its current content")
        ids = self.articles()
        numbers = fold.names.find(ids)
        times = fold.articles.data["first"]["time"]
        near = np.abs(times[numbers] - times[number]) <= self.ranking.window_ms
        near = np.flatnonzero(near & (numbers != number))
        theirs = fold.articles.data["described"][numbers[near]].astype(np.int64) - 1
        vectors = fold.vectors.data[theirs].astype(np.float32) @ described.vector.astype(np.float32)
        count = fold.progress.descriptions
        words = fold.keywords.data[: fold.progress.keywords]
        shared = np.flatnonzero(np.isin(words, described.keywords))
        owners = np.repeat(np.arange(count), fold.described.data["keyword_count"][:count])[shared]
        weights = described.weights[np.searchsorted(described.keywords, words[shared])]
        products = weights.astype(np.float64) * fold.weights.data[shared]
        keywords = np.bincount(owners, products, count)[theirs]
        chosen = [ids[place] for place in near.tolist()]
        return chosen, keywords.astype(np.int64), vectors.astype(np.int64)

    def challenged(self, challengers: Sequence[Challenger]) -> set[str]:
        """Find the articles whose neighbours one of the challengers may have to be among.

        Those are rankable, were ranked before, appeared later than the challenger but in its
        time, and score with it at least what the last of their list does, or 1 if that is
        not full. Whether the challenger is in the list already does not matter.
        """
        numbers = self._fold.names.find([each.article for each in challengers]).tolist()
        subjects = [
            Subject(
                each.described,
                self._fold.topics.place(each.first),
                each.published_ms,
                self._fold.own(number),
                each.until_ms,
            )
            for each, number in zip(challengers, numbers, strict=True)
        ]
        return set(self._fold.names.ids(list(self._searching().challenged(subjects))))

    def close(self) -> None:
        """Let other processes have the view. May be called again."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _number(self, article: str) -> int:
        return int(self._fold.names.find([article])[0])

    def _subject(self, article: str, number: int) -> Subject:
        own = self._fold.own(number)
        if own < 0:
            raise ValueError(f"{article!r} has no description of its current content")
        record = self._fold.articles.data[number]
        described = self._fold.description(own)
        return Subject(described, record["first"], int(record["published"]), own)

    def _best(self, subjects: Sequence[Subject]) -> list[Neighbours]:
        best = self._searching().best(subjects)
        ids = iter(self._fold.names.ids([number for found in best for number, _ in found]))
        return [tuple((next(ids), score) for _, score in found) for found in best]

    def _searching(self) -> "Search":
        if self._search is None:
            # Compiled code takes a second to load, and whoever only follows a log needs none.
            from streaming.similar.search import Search  # noqa: PLC0415

            self._search = Search(self._fold)
        return self._search
