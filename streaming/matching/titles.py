"""How much two short titles have in common: a cosine of IDF weights, adjusted for length.

A title is the set of its words. A word of a category weighs its inverse document frequency
(Spärck Jones 1972) over the titles of *both* catalogues in that category,

    w(t) = f * ln(1 + N / n(t))        f = 1.5 for a figure, else 1

with N titles, n(t) of which have the word. With the dot product I of what two titles share,
and A and B the squared norms of each, the cosine is I / sqrt(A * B) (Salton and Buckley
1988). It forgives a short title for being a part of a long one, so it is *adjusted*: taken
times the smaller norm over the larger one, which leaves

    score = I / max(A, B)

the share of the weightier title that the other one has too. Where **each** title has a
figure that the other has not (``iPhone 14`` and ``iPhone 15``), the score is halved: such
titles name two things of one kind. A figure that only one of them has is a word like others.

Squared weights are whole numbers and scores are whole millionths, so that every sum is
exact: no score depends on the order in which anything is added, or on where it is.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from streaming.text.title_words import is_figure

ONE = 1_000_000
"""The score of equal titles, in millionths."""

_FIGURE_FACTOR = 1.5
_CONFLICT = 2
_UNITS = 1_000
"""Of a squared weight of 1."""

Whole = NDArray[np.int64]


def weigh(titles: Whole, having: Whole, figures: NDArray[np.bool_]) -> Whole:
    """Give squared weights, at least 1, of words that ``having`` of ``titles`` titles have."""
    weights = np.log1p(titles / having) * np.where(figures, _FIGURE_FACTOR, 1.0)
    return np.asarray(np.maximum(1, np.rint(_UNITS * weights * weights)), np.int64)


def score(shared: Whole, left: Whole, right: Whole, conflicts: NDArray[np.bool_]) -> Whole:
    """Give scores in millionths, rounded to the nearest, of pairs of titles.

    ``shared`` is the squared weight of their common words, ``left`` and ``right`` are their
    squared norms, and ``conflicts`` says whether each has a figure that the other has not.
    """
    whole = np.maximum(left, right) * np.where(conflicts, _CONFLICT, 1)
    return np.asarray((2 * ONE * shared + whole) // (2 * whole), np.int64)


def score_pair(left: AbstractSet[str], right: AbstractSet[str], weights: Mapping[str, int]) -> int:
    """Give the score of two sets of words in millionths: the definition, for one pair.

    Symmetric; `ONE` for equal sets, 0 for sets without a common word. ``weights`` are
    squared, as `weigh` gives them.
    """
    own, other = left - right, right - left
    conflict = any(map(is_figure, own)) and any(map(is_figure, other))
    shared, a, b = (
        np.array([sum(weights[word] for word in words)], np.int64)
        for words in (left & right, left, right)
    )
    return int(score(shared, a, b, np.array([conflict]))[0])
