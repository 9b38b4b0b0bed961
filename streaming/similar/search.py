"""The neighbours of an article among those of a view: exact, and without scoring all of them.

Keywords go first: their products are added up for every description of the window, from the
inverted segments. A score is at most the decay times (1 - share) keywords + share, so a few
of the best by keywords, scored exactly, say what the last of the list has at least, and only
those whose bound reaches that are scored, too. Who shares no keyword scores at most the
share; only where a list's last scores less are vectors alone looked at, many articles' at
once, and only among descriptions published near enough in time. Where a subject has many
candidates in one place, their vectors are multiplied there and then, too: one row of a
product of matrices costs less than to fetch one vector in fifty.

All products are whole numbers that 32-bit floats hold exactly, see `description`; so none
of this changes a score, or an order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streaming.similar.description import SCALE, Description
from streaming.similar.fold import BLOCK, NEVER, Fold
from streaming.similar.places import Places
from streaming.similar.postings import LARGEST_WEIGHT, WEIGHT_BITS
from streaming.similar.scoring import ONE, Scores, mix

_SQUARE = SCALE * SCALE
# Bounds are computed in floats: a millionth of slack, or the half that rounds up to a score.
_SLACK = 1.0
_LEAST = 0.4
_PART = 128
_PROBED = 2
_PROBED_MORE = 4
_AT_ONCE = 600
_DENSE = 0.02
_TOGETHER = 256
_CHUNK_BLOCKS = 16

Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]
Bools = NDArray[np.bool_]


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


@dataclass(slots=True, eq=False)
class _Hunt:
    """What was found for a subject so far, and what the last of its list scores at least.

    ``waiting`` are candidates in ascending order that have not been scored yet, with their
    products of keywords and of vectors; ``alone`` are such that may share no keyword, with
    the products of vectors.
    """

    subject: Subject
    vector: NDArray[np.float32]
    ceilings: Reals
    numbers: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    scores: Scores = field(default_factory=lambda: np.zeros(0, np.int32))
    listed: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    last: int = 0
    waiting: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    keywords: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    products: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    alone: list[tuple[Numbers, NDArray[np.float32]]] = field(default_factory=list)


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
            self._by_vectors([h for h in hunts if len(h.waiting) or self._may_gain(h)])
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
        ceilings = ceilings[low:high]
        ceilings = np.repeat(ceilings, BLOCK // _PART)
        most = self._products[low:high].reshape(-1, _PART).max(axis=1)
        reach = most * (ceilings * ((1 - self._share) * ONE / _SQUARE))
        probed = _PROBED * self._ranking.size
        while not hunt.last:
            every = probed >= np.count_nonzero(reach)
            least = 0.0 if every else np.partition(reach, -probed)[-probed]
            self._take(hunt, low, most, self._needed(least, 0, ceilings))
            if every:
                return hunt
            probed *= _PROBED_MORE
        self._take(hunt, low, most, self._needed(hunt.last - _SLACK, self._share, ceilings))
        return hunt

    def _needed(self, least: float, share: float, ceilings: Reals) -> NDArray[np.float32]:
        """Give the products of keywords that it takes in each part to score so much.

        Nothing is enough where the ceiling is 0; with vectors that give all of ``share``.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            need = (least / (ONE * ceilings) - share) / (1 - self._share) * _SQUARE
        need = np.where(ceilings > 0, np.fmax(need * (1 - 1e-6), _LEAST), np.inf)
        return need.astype(np.float32)

    def _take(
        self, hunt: _Hunt, low: int, most: NDArray[np.float32], need: NDArray[np.float32]
    ) -> None:
        """Score those with the products needed, or let them wait; they are not met again.

        ``low`` is the first of the blocks, ``most`` the largest product in each of its parts.
        """
        chosen = np.flatnonzero(most >= need)
        some = self._products[low:].reshape(-1, _PART)[chosen]
        hits = np.flatnonzero(some >= need[chosen, None])
        numbers = low * BLOCK + chosen[hits // _PART] * _PART + hits % _PART
        keywords = self._products.reshape(-1)[numbers]
        self._products.reshape(-1)[numbers] = 0
        valid = np.flatnonzero(self._earlier(hunt.subject, numbers))
        numbers, keywords = numbers[valid], keywords[valid]
        if hunt.last and len(numbers) > _AT_ONCE and self._share and hunt.vector.any():
            hunt.waiting, hunt.keywords = numbers, keywords
            hunt.products = np.zeros(len(numbers), np.float32)
        else:
            self._score(hunt, numbers, keywords, self._vectors(hunt, numbers))

    def _score(
        self,
        hunt: _Hunt,
        numbers: Numbers,
        keywords: NDArray[np.float32],
        vectors: NDArray[np.float32],
    ) -> None:
        apart = self._apart(hunt.subject, numbers)
        self._add(hunt, numbers, mix(self._ranking, keywords, vectors, apart))

    def _may_gain(self, hunt: _Hunt) -> bool:
        """Tell whether someone who shares no keyword could come into the list."""
        if not hunt.subject.described.cells or not hunt.vector.any():
            return False
        return self._share > 0 and hunt.last <= self._share * ONE + _SLACK

    def _by_vectors(self, hunts: list[_Hunt]) -> None:
        """Score those who wait, and those who share nothing but a cell; the latest first."""
        if not hunts or not self._blocks:
            return
        vectors = np.stack([hunt.vector for hunt in hunts])
        alone = np.array([self._may_gain(hunt) for hunt in hunts])
        starts = np.arange(0, self._blocks, _CHUNK_BLOCKS)
        highest = np.stack([hunt.ceilings for hunt in hunts])
        highest = np.maximum.reduceat(highest, starts, axis=1) * (self._share * ONE)
        edges = np.append(starts, self._blocks) * BLOCK
        bounds = np.stack([np.searchsorted(hunt.waiting, edges) for hunt in hunts])
        waiting = np.diff(bounds)
        floor = np.array([max(hunt.last - _SLACK, _LEAST) for hunt in hunts])
        for place in range(len(starts) - 1, -1, -1):
            first, end = int(edges[place]), min(edges[place + 1], self._fold.progress.descriptions)
            wanted = alone & (highest[:, place] >= floor)
            some = np.flatnonzero(wanted | (waiting[:, place] >= _DENSE * (end - first)))
            rows = {}
            if len(some):
                theirs = self._fold.vectors.data[first:end].astype(np.float32)
                rows = dict(zip(some.tolist(), vectors[some] @ theirs.T, strict=True))
            for number in np.flatnonzero(waiting[:, place]).tolist():
                span = slice(*bounds[number, place : place + 2].tolist())
                hunt, row = hunts[number], rows.get(number)
                numbers = hunt.waiting[span]
                hunt.products[span] = (
                    self._vectors(hunt, numbers) if row is None else row[numbers - first]
                )
            for number in np.flatnonzero(wanted).tolist():
                need = floor[number] / highest[number, place] * (_SQUARE * (1 - 1e-6))
                near = np.flatnonzero(rows[number] >= np.float32(need))
                if len(near):
                    hunt = hunts[number]
                    hunt.alone.append((first + near, rows[number][near]))
                    if not hunt.last:
                        # Nothing is known yet that would keep many out: find out.
                        self._take_alone(hunt)
                        floor[number] = max(hunt.last - _SLACK, _LEAST)
        for hunt in hunts:
            self._score(hunt, hunt.waiting, hunt.keywords, hunt.products)
            self._take_alone(hunt)

    def _take_alone(self, hunt: _Hunt) -> None:
        if not hunt.alone:
            return
        numbers = np.concatenate([some for some, _ in hunt.alone])
        vectors = np.concatenate([products for _, products in hunt.alone])
        hunt.alone = []
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
        self._add(hunt, numbers, scores)

    def _add(self, hunt: _Hunt, numbers: Numbers, scores: Scores) -> None:
        """Take in those who may come into the list, and forget who cannot any more."""
        positive = np.flatnonzero(scores >= max(hunt.last, 1))
        if not len(positive):
            return
        hunt.numbers = np.concatenate((hunt.numbers, numbers[positive]))
        hunt.scores = np.concatenate((hunt.scores, scores[positive]))
        hunt.listed = listed = self._choose(hunt)
        if len(listed) == self._ranking.size:
            hunt.last = int(hunt.scores[listed[-1]])
            near = np.flatnonzero(hunt.scores >= hunt.last)
            hunt.numbers, hunt.scores = hunt.numbers[near], hunt.scores[near]
            hunt.listed = np.searchsorted(near, listed)

    def _listed(self, hunt: _Hunt) -> list[tuple[int, int]]:
        articles = self._described["article"][hunt.numbers[hunt.listed]]
        return list(zip(articles.tolist(), hunt.scores[hunt.listed].tolist(), strict=True))

    def _choose(self, hunt: _Hunt) -> Numbers:
        """Give the places of the list's members among those found, the best first."""
        size, few = self._ranking.size, 2 * self._ranking.size
        if len(hunt.scores) > few:
            least = np.partition(hunt.scores, -few)[-few]
            chosen = self._greedy(hunt, np.flatnonzero(hunt.scores >= least))
            if len(chosen) == size:
                return chosen
        return self._greedy(hunt, np.arange(len(hunt.scores)))

    def _greedy(self, hunt: _Hunt, places: Numbers) -> Numbers:
        articles = self._described["article"][hunt.numbers[places]]
        order = self._ordered(hunt.numbers[places], articles, hunt.scores[places])
        stories = self._articles["story"][articles[order]].tolist()
        taken: dict[int, int] = {}
        chosen = []
        for place, story in zip(order.tolist(), stories, strict=True):
            if taken.get(story, 0) < self._ranking.per_story:
                taken[story] = taken.get(story, 0) + 1
                chosen.append(place)
                if len(chosen) == self._ranking.size:
                    break
        return places[chosen]

    def _ordered(self, numbers: Numbers, articles: Numbers, scores: Scores) -> Numbers:
        """Give the order: the largest score, then the latest to appear."""
        times = self._fold.appeared[numbers]
        order = np.lexsort((times, scores))[::-1]
        tied = (np.diff(scores[order]) == 0) & (np.diff(times[order]) == 0)
        if tied.any():
            keys = self._fold.topics.keys(self._articles["first"][articles])
            order = np.lexsort((*keys, scores))[::-1]
        return order

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
        numbers = np.flatnonzero(self._fold.appeared[:count] != NEVER)
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
        """Tell who is rankable, and appeared before within the window."""
        time = int(subject.first["time"])
        appeared = self._fold.appeared[numbers]
        valid: Bools = (appeared <= time) & (appeared >= time - self._ranking.window_ms)
        valid &= (numbers != subject.own) & (appeared != NEVER)
        tied = np.flatnonzero(valid & (appeared == time))
        if len(tied):
            valid[tied] = self._fold.topics.before(self._firsts_of(numbers[tied]), subject.first)
        return valid

    def _later(self, subject: Subject, numbers: Numbers) -> Bools:
        """Tell who is rankable, and appeared afterwards in the subject's time."""
        time = int(subject.first["time"])
        appeared = self._fold.appeared[numbers]
        valid: Bools = (appeared >= time) & (appeared <= subject.until_ms)
        valid &= (numbers != subject.own) & (appeared != NEVER)
        tied = np.flatnonzero(valid & (appeared == time))
        if len(tied):
            valid[tied] = self._fold.topics.after(self._firsts_of(numbers[tied]), subject.first)
        return valid

    def _firsts_of(self, numbers: Numbers) -> Places:
        firsts: Places = self._articles["first"][self._described["article"][numbers]]
        return firsts

    def _apart(self, subject: Subject, numbers: Numbers) -> Numbers:
        apart: Numbers = self._fold.published[numbers] - subject.published_ms
        return apart

    def _vectors(self, hunt: _Hunt, numbers: Numbers) -> NDArray[np.float32]:
        if not len(numbers) or not self._share or not hunt.vector.any():
            return np.zeros(len(numbers), np.float32)
        vectors = self._fold.vectors.data.take(numbers, axis=0).astype(np.float32)
        # Not by BLAS, which would wake its threads for so little.
        products: NDArray[np.float32] = np.einsum("ij,j->i", vectors, hunt.vector)
        return products


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
        self._lengths = np.array([end for _, end in bounds], np.int64).reshape(shape)
        self._lengths -= self._starts

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
        own = self.subjects[place].described.weights.astype(np.float32)
        for number in some.tolist():
            starts, lengths = self._starts[number][columns], self._lengths[number][columns]
            there = np.flatnonzero(lengths)
            if not len(there):
                continue
            starts, lengths = starts[there], lengths[there]
            entries, part = segments[number].entries, products.reshape(-1)[segments[number].first :]
            bounds = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
            # Joined first and converted then: joining with conversion takes several times longer.
            packed = np.concatenate([entries[start:end] for start, end in bounds])
            weights = (packed & LARGEST_WEIGHT).astype(np.float32)
            weights *= np.repeat(own[there], lengths)
            np.add.at(part, (packed >> WEIGHT_BITS).astype(np.intp), weights)
        return low, high
