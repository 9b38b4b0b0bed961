"""Catalogues of words, joined by brute force as the definitions say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from streaming.matching.title_thresholds import TitleRelation, TitleThresholds
from streaming.matching.titles import score_pair, weigh
from streaming.text.title_words import is_figure


class Title(NamedTuple):
    """A title of a catalogue: its id, its category and its words."""

    name: str
    category: str
    words: tuple[str, ...]


class TitleMatch(NamedTuple):
    """The best match of a title, its score in millionths."""

    right: str
    score: int
    relation: TitleRelation


def weights_of(titles: Sequence[Title]) -> dict[str, int]:
    """Give the squared weights of the words of one category."""
    having = Counter(word for title in titles for word in set(title.words))
    words = sorted(having)
    found = weigh(
        np.full(len(words), len(titles)),
        np.array([having[word] for word in words], np.int64),
        np.array([is_figure(word) for word in words], bool),
    )
    return dict(zip(words, map(int, found), strict=True))


def best_matches(
    left: Sequence[Title], right: Sequence[Title], thresholds: TitleThresholds
) -> Mapping[str, TitleMatch]:
    """Score every pair within a category, and keep the best of each left title."""
    found = {}
    for category in {title.category for title in left}:
        ours = [title for title in left if title.category == category]
        theirs = [title for title in right if title.category == category]
        weights = weights_of([*ours, *theirs])
        for mine in ours:
            best = min(
                (rated(mine, other, weights, thresholds) for other in theirs),
                key=lambda match: (-match.relation, -match.score, match.right),
                default=None,
            )
            if best is not None and best.relation:
                found[mine.name] = best
    return found


def rated(
    left: Title, right: Title, weights: Mapping[str, int], thresholds: TitleThresholds
) -> TitleMatch:
    a, b = set(left.words), set(right.words)
    score = score_pair(a, b, weights)
    (relation,) = thresholds.relations(np.array([score]), np.array([min(len(a), len(b))]))
    return TitleMatch(right.name, score, TitleRelation(int(relation)))


_WORDS = st.sampled_from([*"abcdefghij", "14", "15", "第三", "x9"])


def catalogues(
    categories: Sequence[str] = ("", "p", "q"), most: int = 12
) -> st.SearchStrategy[tuple[list[Title], list[Title]]]:
    """Give two small catalogues with many ties and many near misses."""
    title = st.tuples(
        st.sampled_from(list(categories)),
        st.lists(_WORDS, min_size=1, max_size=7, unique=True).map(tuple),
    )
    catalogue = st.lists(title, max_size=most)
    return st.tuples(catalogue, catalogue).map(
        lambda pair: (
            [Title(f"l{n}", *each) for n, each in enumerate(pair[0])],
            # Ids whose order is not that of their places.
            [Title(f"r{(7 * n + 3) % 101}", *each) for n, each in enumerate(pair[1])],
        )
    )


@st.composite
def thresholds(draw: st.DrawFn) -> TitleThresholds:
    """Draw thresholds of one to three classes, in thousandths."""
    ends = sorted(draw(st.sets(st.integers(1, 6), max_size=2)))
    classes = []
    for end in [*ends, None]:
        steps = sorted(draw(st.tuples(*3 * [st.integers(1, 1000)])))
        low, best, high = (step / 1000 for step in steps)
        classes.append({"up_to": end, "min": low, "best": best, "max": high})
    return TitleThresholds.model_validate({"version": 1, "classes": classes})
