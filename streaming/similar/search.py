"""The neighbours of an article among those of a view: exact, and without scoring all of them.

Keywords go first: their products are added up for every description of the window, from the
inverted segments. A score is at most the decay times (1 - share) keywords + share, so a few
of the best by keywords, scored exactly, say what the last of the list has at least, and only
those whose bound reaches that are scored, too. Who shares no keyword scores at most the
share; only where a list's last scores less are vectors alone looked at, many articles' at
once, and only among descriptions published near enough in time.

All products are whole numbers that 32-bit floats hold exactly, see `description`; so none
of this changes a score, or an order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streaming.similar.description import SCALE, Description
from streaming.similar.fold import BLOCK, Fold
from streaming.similar.places import Places
from streaming.similar.scoring import ONE, Scores, mix

_SQUARE = SCALE * SCALE
# Bounds are computed in floats: a millionth of slack, or the half that rounds up to a score.
_SLACK = 1.0
_LEAST = 0.4
_PROBED = 2
_PROBED_MORE = 4
_TOGETHER = 256
_CHUNK_BLOCKS = 16

Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A text whose neighbours are sought; ``article`` is its number if it has one, or -1.

    ``until_ms`` is up to when those appeared whom it may challenge, inclusive.
    """

    described: Description
    first: Places
    published_ms: int
    article: int = -1
    until_ms: int = 0


@dataclass(slots=True, eq=False)
class _Hunt:
    """What was found for a subject so far, and what the last of its list scores at least."""

    subject: Subject
    vector: NDArray[np.float32]
    ceilings: Reals
    numbers: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    scores: Scores = field(default_factory=lambda: np.zeros(0, np.int32))
    last: int = 0


class Search:
    """Searches in a fold as it is at the moment; not to be used when it has changed."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._ranking = fold.ranking
        self._share = fold.ranking.vector_weight
        self._segments = fold.segments()
        self._firsts = np.array([part.first // BLOCK for part in self._segments], np.int64)
        self._ends = np.array([-(-part.end // BLOCK) for part in self._segments], np.int64)
        self._blocks = -(-fold.progress.descriptions // BLOCK)
        self._products = np.zeros((self._blocks, BLOCK), np.float32)
        self._described = fold.described.data
        self._articles = fold.articles.data

    def best(self, subjects: Sequence[Subject]) -> list[list[tuple[int, int]]]:
        """Give the neighbours of each subject: numbers of articles, and scores."""
        found: list[list[tuple[int, int]]] = []
        for start in range(0, len(subjects), _TOGETHER):
            some = subjects[start : start + _TOGETHER]
            lists = _Lists(self, some)
            hunts = [self._by_keywords(lists, place) for place in range(len(some))]
            self._by_vectors([hunt for hunt in hunts if self._may_gain(hunt)])
            found += [self._listed(hunt) for hunt in hunts]
        return found

    def challenged(self, subjects: Sequence[Subject]) -> set[int]:
        """Give the numbers of the later articles whose lists a subject may be missing from."""
        bounds, lax = self._bounds()
        found: set[int] = set()
        for start in range(0, len(subjects), _TOGETHER):
            some = subjects[start : start + _TOGETHER]
            lists = _Lists(self, some)
            for place, subject in enumerate(some):
                found.update(self._challenged(lists, place, subject, bounds, lax).tolist())
        return found

    def _by_keywords(self, lists: "_Lists", place: int) -> _Hunt:
        subject = lists.subjects[place]
        time = int(subject.first["time"])
        ceilings = self._ceilings(subject, time - self._ranking.window_ms, time)
        hunt = _Hunt(subject, subject.described.vector.astype(np.float32), ceilings)
        low, high = lists.add_up(place, ceilings > 0, self._products)
        if low == high:
            return hunt
        products, ceilings = self._products[low:high], ceilings[low:high]
        most = products.max(axis=1)
        reach = (1 - self._share) * most * ceilings
        probed = _PROBED * self._ranking.size
        while not hunt.last:
            every = probed >= np.count_nonzero(reach)
            least = 0.0 if every else np.partition(reach, -probed)[-probed]
            chosen = np.flatnonzero((reach >= least) & (most > 0) & (ceilings > 0))
            some = products[chosen]
            hits = some * ((1 - self._share) * ceilings[chosen])[:, None] >= least
            self._take(hunt, products, low, chosen, hits & (some > 0))
            if every:
                return hunt
            probed *= _PROBED_MORE
        with np.errstate(divide="ignore", invalid="ignore"):
            need = (hunt.last - _SLACK) / (ONE * ceilings) - self._share
            need = need / (1 - self._share) * _SQUARE
        need = np.where(ceilings > 0, np.fmax(need * (1 - 1e-6), 0), np.inf)
        chosen = np.flatnonzero((most >= need) & (most > 0))
        some = products[chosen]
        self._take(hunt, products, low, chosen, (some >= need[chosen, None]) & (some > 0))
        return hunt

    def _take(
        self, hunt: _Hunt, products: NDArray[np.float32], low: int, chosen: Numbers, hits: Bools
    ) -> None:
        """Score those hit in the chosen blocks, if their bounds reach the list; forget them."""
        rows, columns = np.nonzero(hits)
        rows = chosen[rows]
        keywords = products[rows, columns]
        products[rows, columns] = 0
        numbers = (low + rows) * BLOCK + columns
        valid = self._earlier(hunt.subject, numbers)
        numbers, keywords = numbers[valid], keywords[valid]
        apart = self._apart(hunt.subject, numbers)
        if hunt.last:
            bound = mix(self._ranking, keywords, np.full(len(keywords), float(_SQUARE)), apart)
            near = bound >= hunt.last
            numbers, keywords, apart = numbers[near], keywords[near], apart[near]
        self._add(hunt, numbers, mix(self._ranking, keywords, self._vectors(hunt, numbers), apart))

    def _may_gain(self, hunt: _Hunt) -> bool:
        """Tell whether someone who shares no keyword could come into the list."""
        if not hunt.subject.described.cells or not hunt.vector.any():
            return False
        return self._share > 0 and hunt.last <= self._share * ONE + _SLACK

    def _by_vectors(self, hunts: list[_Hunt]) -> None:
        if not hunts or not self._blocks:
            return
        vectors = np.stack([hunt.vector for hunt in hunts])
        ceilings = np.stack([hunt.ceilings for hunt in hunts])
        lasts = np.array([hunt.last for hunt in hunts], np.float64)
        starts = np.arange(0, self._blocks, _CHUNK_BLOCKS)
        highest = np.maximum.reduceat(ceilings, starts, axis=1) * (self._share * ONE)
        for place in range(len(starts) - 1, -1, -1):
            floor = np.maximum(lasts - _SLACK, _LEAST)
            some = np.flatnonzero(highest[:, place] >= floor)
            if not len(some):
                continue
            first = int(starts[place]) * BLOCK
            end = min(first + _CHUNK_BLOCKS * BLOCK, self._fold.progress.descriptions)
            theirs = self._fold.vectors.data[first:end].astype(np.float32)
            products = vectors[some] @ theirs.T
            need = floor[some] / highest[some, place] * (_SQUARE * (1 - 1e-6))
            rows, columns = np.nonzero(products >= need[:, None].astype(np.float32))
            bounds = np.searchsorted(rows, np.arange(len(some) + 1))
            for row in np.flatnonzero(np.diff(bounds)).tolist():
                hunt = hunts[some[row]]
                numbers = first + columns[bounds[row] : bounds[row + 1]]
                self._take_alone(hunt, numbers, products[row, numbers - first])
                lasts[some[row]] = hunt.last

    def _take_alone(self, hunt: _Hunt, numbers: Numbers, vectors: NDArray[np.float32]) -> None:
        own = self._described["cell"][numbers]
        valid = np.zeros(len(numbers), np.bool_)
        for cell in hunt.subject.described.cells:
            valid |= own == cell
        valid[valid] = self._earlier(hunt.subject, numbers[valid])
        # Who shares keywords was scored with them, if that could matter.
        valid[valid] = ~np.isin(numbers[valid], hunt.numbers)
        numbers, vectors = numbers[valid], vectors[valid]
        apart = self._apart(hunt.subject, numbers)
        scores = mix(self._ranking, np.zeros(len(numbers)), vectors, apart)
        near = scores >= hunt.last
        if near.any():
            self._add(hunt, numbers[near], scores[near])

    def _add(self, hunt: _Hunt, numbers: Numbers, scores: Scores) -> None:
        positive = scores > 0
        hunt.numbers = np.concatenate((hunt.numbers, numbers[positive]))
        hunt.scores = np.concatenate((hunt.scores, scores[positive]))
        chosen = self._choose(hunt)
        if len(chosen) == self._ranking.size:
            hunt.last = int(hunt.scores[chosen[-1]])
            near = np.flatnonzero(hunt.scores >= hunt.last)
            hunt.numbers, hunt.scores = hunt.numbers[near], hunt.scores[near]

    def _listed(self, hunt: _Hunt) -> list[tuple[int, int]]:
        chosen = self._choose(hunt)
        articles = self._described["article"][hunt.numbers[chosen]]
        return list(zip(articles.tolist(), hunt.scores[chosen].tolist(), strict=True))

    def _choose(self, hunt: _Hunt) -> list[int]:
        """Give the places of the list's members among those found, the best first."""
        size, few = self._ranking.size, 4 * self._ranking.size
        if len(hunt.scores) > few:
            least = np.partition(hunt.scores, -few)[-few]
            chosen = self._greedy(hunt, np.flatnonzero(hunt.scores >= least))
            if len(chosen) == size:
                return chosen
        return self._greedy(hunt, np.arange(len(hunt.scores)))

    def _greedy(self, hunt: _Hunt, places: Numbers) -> list[int]:
        articles = self._described["article"][hunt.numbers[places]]
        keys = self._fold.topics.keys(self._articles["first"][articles])
        order = np.lexsort((*keys, hunt.scores[places]))[::-1]
        stories = self._articles["story"][articles[order]].tolist()
        taken: dict[int, int] = {}
        chosen = []
        for place, story in zip(places[order].tolist(), stories, strict=True):
            if taken.get(story, 0) < self._ranking.per_story:
                taken[story] = taken.get(story, 0) + 1
                chosen.append(place)
                if len(chosen) == self._ranking.size:
                    break
        return chosen

    def _challenged(
        self, lists: "_Lists", place: int, subject: Subject, bounds: Scores, lax: Numbers
    ) -> Numbers:
        time = int(subject.first["time"])
        ceilings = self._ceilings(subject, time, subject.until_ms)
        hunt = _Hunt(subject, subject.described.vector.astype(np.float32), ceilings)
        low, high = lists.add_up(place, ceilings > 0, self._products)
        products = self._products[low:high].reshape(-1)
        hits = np.flatnonzero(products)
        keywords, numbers = products[hits], low * BLOCK + hits
        valid = self._later(subject, numbers)
        found = [self._beaten(hunt, numbers[valid], keywords[valid], bounds)]
        if self._share and subject.described.cells and hunt.vector.any():
            alone = lax[self._later(subject, lax)]
            alone = alone[~np.isin(alone, numbers)]
            alone = alone[self._looks_into(alone, subject.described.cells[0])]
            found.append(self._beaten(hunt, alone, np.zeros(len(alone), np.float32), bounds))
        articles: Numbers = self._described["article"][np.concatenate(found)]
        return articles

    def _beaten(
        self, hunt: _Hunt, numbers: Numbers, keywords: NDArray[np.float32], bounds: Scores
    ) -> Numbers:
        """Give those to whom the subject is as near as the last of their lists."""
        apart = self._apart(hunt.subject, numbers)
        bound = bounds[numbers]
        most = mix(self._ranking, keywords, np.full(len(keywords), float(_SQUARE)), apart)
        near = np.flatnonzero((most >= bound) & (bound > 0))
        vectors = self._vectors(hunt, numbers[near])
        scores = mix(self._ranking, keywords[near], vectors, apart[near])
        return numbers[near[scores >= bound[near]]]

    def _bounds(self) -> tuple[Scores, Numbers]:
        """Give what it takes to come into the list of each description's article.

        It is 0 where there is no list yet. And those where vectors alone may be enough.
        """
        count = self._fold.progress.descriptions
        numbers = np.flatnonzero(self._fold.alive[:count])
        articles = self._described["article"][numbers]
        ranked = self._articles["ranked_size"][articles] > 0
        numbers, articles = numbers[ranked], articles[ranked]
        full = self._articles["neighbours"][articles] == self._ranking.size
        bounds = np.zeros(count, np.int32)
        bounds[numbers] = np.where(full, self._fold.scores.data[articles, -1], 1)
        return bounds, numbers[bounds[numbers] <= self._share * ONE + _SLACK]

    def _looks_into(self, numbers: Numbers, cell: int) -> Bools:
        records = self._described[numbers]
        counts = records["cell_count"].astype(np.int64)
        owners = np.repeat(np.arange(len(numbers)), counts)
        places = np.repeat(records["cells"] - (np.cumsum(counts) - counts), counts)
        places += np.arange(len(places))
        looking = np.zeros(len(numbers), np.bool_)
        looking[owners[self._fold.cells.data[places] == cell]] = True
        return looking

    def _ceilings(self, subject: Subject, since: int, until: int) -> Reals:
        """Give the most that the decay can be in each block; 0 if none of it is in the window."""
        blocks, published = self._fold.blocks, subject.published_ms
        within = (blocks.first_most >= since) & (blocks.first_least <= until)
        within &= blocks.first_least <= blocks.first_most
        ceilings = np.zeros(self._blocks)
        least, most = blocks.published_least[within], blocks.published_most[within]
        apart = np.maximum(np.maximum(least - published, published - most), 0)
        whole = np.full(len(apart), float(_SQUARE))
        ceilings[np.flatnonzero(within)] = (mix(self._ranking, whole, whole, apart) + _SLACK) / ONE
        return ceilings

    def _earlier(self, subject: Subject, numbers: Numbers) -> Bools:
        first = self._firsts_of(numbers)
        valid = first["time"] >= subject.first["time"] - self._ranking.window_ms
        valid &= self._fold.topics.before(first, subject.first)
        return valid & self._others(subject, numbers)

    def _later(self, subject: Subject, numbers: Numbers) -> Bools:
        first = self._firsts_of(numbers)
        valid = first["time"] <= subject.until_ms
        valid &= self._fold.topics.after(first, subject.first)
        return valid & self._others(subject, numbers)

    def _firsts_of(self, numbers: Numbers) -> Places:
        firsts: Places = self._articles["first"][self._described["article"][numbers]]
        return firsts

    def _others(self, subject: Subject, numbers: Numbers) -> Bools:
        others: Bools = self._described["article"][numbers] != subject.article
        return others & self._fold.alive[numbers]

    def _apart(self, subject: Subject, numbers: Numbers) -> Numbers:
        articles = self._described["article"][numbers]
        apart: Numbers = self._articles["published"][articles] - subject.published_ms
        return apart

    def _vectors(self, hunt: _Hunt, numbers: Numbers) -> NDArray[np.float32]:
        if not len(numbers) or not self._share or not hunt.vector.any():
            return np.zeros(len(numbers), np.float32)
        return self._fold.vectors.data[numbers].astype(np.float32) @ hunt.vector


class _Lists:
    """Where the lists of some subjects' keywords are, in all segments."""

    def __init__(self, search: Search, subjects: Sequence[Subject]) -> None:
        self.subjects = subjects
        self._search = search
        keywords = [subject.described.keywords for subject in subjects]
        distinct, places = np.unique(np.concatenate(keywords), return_inverse=True)
        self._places = np.split(places, np.cumsum([len(each) for each in keywords])[:-1])
        segments = search._segments  # noqa: SLF001 - two halves of one thing
        bounds = [part.lists(distinct) for part in segments]
        shape = (len(segments), len(distinct))
        self._starts = np.array([start for start, _ in bounds], np.int64).reshape(shape)
        self._ends = np.array([end for _, end in bounds], np.int64).reshape(shape)

    def add_up(self, place: int, wanted: Bools, products: NDArray[np.float32]) -> tuple[int, int]:
        """Write the products of keywords for the segments that hold some wanted block.

        Give the blocks that were written, the first and the one after the last. Those
        between that are of no such segment are zeros.
        """
        segments, firsts, ends = (
            self._search._segments,  # noqa: SLF001 - as above
            self._search._firsts,  # noqa: SLF001
            self._search._ends,  # noqa: SLF001
        )
        before = np.concatenate(([0], np.cumsum(wanted), [np.count_nonzero(wanted)]))
        last = len(before) - 1
        some = np.flatnonzero(before[np.minimum(ends, last)] > before[np.minimum(firsts, last)])
        if not len(some):
            return 0, 0
        low, high = int(firsts[some[0]]), int(ends[some[-1]])
        products[low:high] = 0
        columns = self._places[place]
        starts, ends = self._starts[some][:, columns], self._ends[some][:, columns]
        rows, words = np.nonzero(ends > starts)
        if not len(rows):
            return low, high
        bounds = [
            (segments[row], start, end)
            for row, start, end in zip(
                some[rows].tolist(),
                starts[rows, words].tolist(),
                ends[rows, words].tolist(),
                strict=True,
            )
        ]
        entries = np.concatenate([part.entries[a:b] for part, a, b in bounds], dtype=np.int64)
        weights = np.concatenate([part.weights[a:b] for part, a, b in bounds], dtype=np.float32)
        own = self.subjects[place].described.weights.astype(np.float32)
        weights *= np.repeat(own[words], ends[rows, words] - starts[rows, words])
        np.add.at(products.reshape(-1), entries, weights)
        return low, high
