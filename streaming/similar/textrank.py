"""TextRank: words are important that stand near many important words.

After Mihalcea and Tarau, "TextRank: Bringing Order into Texts" (EMNLP 2004): the graph of
distinct words with an undirected edge between two that occur within a window of each other,
ranked as PageRank ranks pages.
"""

import numpy as np
from numpy.typing import NDArray

from streaming.similar.description import Hashes64

WINDOW = 5
"""Words in a window: two are neighbours if at most three stand between them."""

DAMPING = 0.85

_ROUNDS = 60
_ENOUGH = 1e-7
_DIGITS = 6


def ranks(words: Hashes64) -> NDArray[np.float64]:
    """Give the ranks of the distinct words of a text, in ascending order of the words.

    ``words`` are those of the text, in their order. The mean rank is 1; ranks have six
    decimals. A word without a neighbour has 1 - `DAMPING`, before they are scaled.
    """
    distinct, places = np.unique(words, return_inverse=True)
    size = len(distinct)
    pairs = [
        places[:-apart] * size + places[apart:] for apart in range(1, min(WINDOW, len(places)))
    ]
    edges = np.unique(np.concatenate([*pairs, np.empty(0, np.int64)]).astype(np.int64))
    one, other = edges // max(1, size), edges % max(1, size)
    apart = one != other
    both = np.unique(np.concatenate([edges[apart], other[apart] * size + one[apart]]))
    sources, targets = both // max(1, size), both % max(1, size)
    degrees = np.bincount(sources, minlength=size)
    share = 1 / degrees[sources]
    found: NDArray[np.float64] = np.ones(size)
    for _ in range(_ROUNDS):
        flow = np.bincount(targets, weights=found[sources] * share, minlength=size)
        after = (1 - DAMPING) + DAMPING * flow.astype(np.float64)
        change = float(np.abs(after - found).max(initial=0.0))
        found = after
        if change < _ENOUGH:
            break
    scale = size / float(found.sum()) if size else 1.0
    return np.round(found * scale, _DIGITS)
