"""The neighbours of an article among those of a view: exact, and without scoring all of them.

Keywords go first: their products are added up for the descriptions of the window, from the
inverted segments. A score is at most the decay times what the keywords and the best of
vectors make; so those with most in common, scored first, say what the last of the list has
at least, and of the others only those whose bound reaches that are scored. Who shares no
keyword is looked at only in the cells that a subject looks into, and only where vectors alone
could still be enough. `kernels` does the work, article by article.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.similar import kernels
from streaming.similar.description import SCALE
from streaming.similar.entries import Subject
from streaming.similar.fold import BLOCK, NEVER, Fold
from streaming.similar.scoring import ONE, Ranking, decay

_PROBED = 2
"""How many are scored first, for each place of a list."""
_TOGETHER = 256
_CHUNK = 16
"""So many blocks of vectors are multiplied with those of many subjects at once."""
_DENSE = 0.02
"""From which share of a chunk on a row of that product costs less than to fetch vectors."""

Numbers = NDArray[np.int32]
Reals = NDArray[np.float64]


class Search:
    """Searches in a fold as it is at the moment; not to be used when it has changed."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._segments = fold.segments()
        self._rules = _rules(fold.ranking, fold.progress.dimensions or 0)
        self._blocks = -(-fold.progress.descriptions // BLOCK)
        self._sums = np.zeros(self._blocks * BLOCK, np.int32)

    def best(self, subjects: Sequence[Subject]) -> list[list[tuple[int, int]]]:
        """Give the neighbours of each subject: numbers of articles, and scores."""
        found: list[list[tuple[int, int]]] = []
        for start in range(0, len(subjects), _TOGETHER):
            found += self._best(subjects[start : start + _TOGETHER])
        return found

    def _best(self, subjects: Sequence[Subject]) -> list[list[tuple[int, int]]]:
        hunt = _Hunt(subjects, self._fold, self._told(subjects), self._blocks)
        columns, worths = self._columns(), np.empty(_PROBED * self._fold.ranking.size)
        numbers, tops = np.empty(len(worths), np.int32), np.empty(self._blocks, np.int32)
        room, shared = np.empty((2, len(self._sums)), np.int32)
        for place, subject in enumerate(subjects):
            time = int(subject.first["time"])
            since = time - self._fold.ranking.window_ms
            low, high = self._add_up(subject, since, time, hunt.reach[place])
            count = kernels.probe(
                self._sums,
                low,
                high,
                *columns,
                hunt.reach[place],
                hunt.told,
                place,
                hunt.vectors,
                hunt.members,
                hunt.lengths,
                tops,
                worths,
                numbers,
                room,
                shared,
            )
            hunt.wait(room[:count], shared[:count])
        self._settle(hunt, columns)
        return hunt.listed(self._fold.described.data["article"])

    def _settle(self, hunt: "_Hunt", columns: tuple[Any, ...]) -> None:
        """Look at all who wait, and at those who share nothing but a cell; the latest first."""
        described = self._fold.progress.descriptions
        edges = np.append(np.arange(0, described, _CHUNK * BLOCK), described)
        waiting, keywords, bounds = hunt.waiting(edges)
        unit = self._rules["share"] * self._rules["longest"] * self._rules["unit"]
        for chunk in range(len(edges) - 2, -1, -1):
            first, end = edges[chunk : chunk + 2].tolist()
            counts = bounds[:, chunk + 1] - bounds[:, chunk]
            reach = hunt.reach[:, first // BLOCK : -(-end // BLOCK)].max(axis=1)
            alone = hunt.looking & (reach * unit >= np.maximum(hunt.lasts() - 1, 0.5))
            asking = np.flatnonzero(alone | (hunt.seeing & (counts >= _DENSE * (end - first))))
            if not len(asking) and not counts.any():
                continue
            rows = np.full(len(hunt.told), -1, np.int32)
            rows[asking] = np.arange(len(asking))
            # Sums of whole numbers below 2**24: exact, however they are added up.
            theirs = self._fold.vectors.data[first : end if len(asking) else first]
            products = hunt.vectors[asking].astype(np.float32) @ theirs.astype(np.float32).T
            kernels.settle(
                first,
                end,
                *columns,
                hunt.reach,
                hunt.told,
                hunt.vectors,
                hunt.looked_into,
                rows,
                np.ascontiguousarray(bounds[:, chunk : chunk + 2]),
                waiting,
                keywords,
                alone,
                products,
                hunt.members,
                hunt.lengths,
            )

    def challenged(self, subjects: Sequence[Subject]) -> set[int]:
        """Give the numbers of the later articles whose lists a subject may be missing from."""
        lasts, open_to_all = self._lasts()
        described, found = self._fold.described.data, np.empty(len(self._sums), np.int32)
        columns, articles = self._columns(), set[int]()
        reach = np.empty(self._blocks)
        for subject in subjects:
            time = int(subject.first["time"])
            low, high = self._add_up(subject, time, subject.until_ms, reach)
            cells = subject.described.cells
            hits = kernels.challenged(
                self._sums,
                low,
                high,
                *columns,
                reach,
                self._told([subject]),
                subject.described.vector,
                cells[0] if cells else -1,
                self._fold.cells.data,
                lasts,
                open_to_all,
                found,
            )
            articles.update(described["article"][found[:hits]].tolist())
        return articles

    def _columns(self) -> tuple[Any, ...]:
        fold = self._fold
        return (
            fold.articles.data,
            fold.described.data,
            fold.appeared,
            fold.published,
            fold.vectors.data,
            fold.topics.ranks,
            decay(fold.ranking.half_life_ms),
            self._rules,
        )

    def _add_up(self, subject: Subject, since: int, until: int, reach: Reals) -> tuple[int, int]:
        """Add up the products of keywords with those who appeared between two moments.

        Writes the reach of blocks, and gives between which descriptions those are.
        """
        blocks, published = self._fold.blocks, subject.published_ms
        kernels.reaches(
            blocks.first_least,
            blocks.first_most,
            blocks.published_least,
            blocks.published_most,
            decay(self._fold.ranking.half_life_ms),
            since,
            until,
            published,
            reach,
        )
        near = np.flatnonzero(reach)
        if not len(near):
            return 0, 0
        low, high = int(near[0]) * BLOCK, int(near[-1] + 1) * BLOCK
        # Decoded keywords are not aligned, which compiled code is not made for.
        keywords, weights = np.array(subject.described.keywords), subject.described.weights
        for part in self._segments:
            if part.first < high and part.end > low:
                lists = (part.keywords, part.starts, part.entries, part.first, part.end)
                kernels.add_up(*lists, keywords, weights, low, high, self._sums)
        return low, high

    def _told(self, subjects: Sequence[Subject]) -> NDArray[np.void]:
        told = np.empty(len(subjects), kernels.SUBJECT)
        for place, subject in enumerate(subjects):
            time, topic, partition, offset = subject.first.item()
            rank = int(self._fold.topics.ranks[topic])
            seeing = int(bool(subject.described.vector.any()))
            times = (subject.until_ms, seeing)
            own = (subject.published_ms, subject.own)
            told[place] = (time, rank, partition, offset, *own, *times)
        return told

    def _lasts(self) -> tuple[Numbers, Numbers]:
        """Give what it takes to come into the list of each description's article.

        It is 0 where there is no list yet. And those where vectors alone may be enough.
        """
        fold = self._fold
        described, articles = fold.described.data, fold.articles.data
        numbers = np.flatnonzero(fold.appeared != NEVER)
        owners = described["article"][numbers]
        ranked = articles["ranked_size"][owners] > 0
        numbers, owners = numbers[ranked], owners[ranked]
        full = articles["neighbours"][owners] == fold.ranking.size
        lasts = np.zeros(len(self._sums), np.int32)
        lasts[numbers] = np.where(full, fold.scores.data[owners, -1], 1)
        alone = fold.ranking.vector_weight * self._rules["longest"][0] * self._rules["unit"][0]
        return lasts, numbers[lasts[numbers] <= alone + 1].astype(np.int32)


class _Hunt:
    """The lists of some subjects as far as they are known, and who may yet come into them."""

    def __init__(
        self, subjects: Sequence[Subject], fold: Fold, told: NDArray[np.void], blocks: int
    ) -> None:
        count = len(subjects)
        self.told = told
        self.reach = np.empty((count, blocks))
        self.vectors = np.stack([subject.described.vector for subject in subjects])
        self.looked_into = _looked_into([subject.described.cells for subject in subjects])
        self.members = np.zeros((count, fold.ranking.size), kernels.MEMBER)
        self.lengths = np.zeros(count, np.int64)
        self.seeing = (told["seeing"] > 0) & (fold.ranking.vector_weight > 0)
        self.looking = self.seeing & self.looked_into.any(axis=1)
        self._waiting: list[Numbers] = []
        self._keywords: list[Numbers] = []

    def wait(self, numbers: Numbers, keywords: Numbers) -> None:
        """Note who may come into the list of the next subject."""
        self._waiting.append(numbers.copy())
        self._keywords.append(keywords.copy())

    def waiting(self, edges: NDArray[np.int64]) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
        """Give all who wait, subject after subject, and their products of keywords.

        And where those from each of the edges on begin: a row for each subject.
        """
        lengths = [len(each) for each in self._waiting]
        starts = np.cumsum(lengths, dtype=np.int64) - lengths
        # In the type of the numbers, or all of them would be converted for every search.
        edges = edges.astype(np.int32)
        bounds = np.stack([np.searchsorted(each, edges) for each in self._waiting])
        bounds += starts[:, None]
        return np.concatenate(self._waiting), np.concatenate(self._keywords), bounds

    def lasts(self) -> NDArray[np.int64]:
        """Give what the last of each list scores, 0 where there is room."""
        full = self.lengths == self.members.shape[1]
        return np.where(full, self.members["score"][:, -1], 0)

    def listed(self, articles: NDArray[np.uint32]) -> list[list[tuple[int, int]]]:
        """Give the lists, with the numbers of ``articles`` whose descriptions are in them."""
        found = []
        for members, length in zip(self.members, self.lengths.tolist(), strict=True):
            listed = members[:length]
            ids = articles[listed["number"]].tolist()
            found.append(list(zip(ids, listed["score"].tolist(), strict=True)))
        return found


def _rules(ranking: Ranking, dimensions: int) -> NDArray[np.void]:
    # Rounding makes a vector of length SCALE longer by half a unit in each dimension, at most.
    longest = (SCALE + 0.5 * dimensions**0.5) ** 2 + 1
    told = (ranking.window_ms, ranking.vector_weight, ONE / SCALE**2, longest)
    return np.array([(*told, ranking.size, ranking.per_story)], kernels.RULES)


def _looked_into(cells: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    most = max((max(each, default=-1) for each in cells), default=-1)
    looked_into = np.zeros((len(cells), most + 1), np.uint8)
    for place, each in enumerate(cells):
        looked_into[place, list(each)] = 1
    return looked_into
