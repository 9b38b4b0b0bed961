"""A made-up channel: articles with keywords as frequent as in news, and vectors in topics.

Keyword frequencies fall like 1 / (rank + 250). Weights are inverse frequencies to the power
of 1.5, times how much the article is about the word. An article is about a subject, which
gives it some of its weightiest keywords, and two in five go on with a story of the last days.

The numbers are such that the best in a list, and the last of twelve, score about as they did
when a year of agency news was put into one month of one channel: there medians of 0.28 and
0.13 were found, here they are 0.28 and 0.10 of as many articles.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from streaming.position import encode
from streaming.similar.description import Description, Int16s, rounded
from streaming.similar.entries import Row, Standing

WORDS = 200_000
KEYWORDS = 50
DIMENSIONS = 100
TOPICS = 64
WORDS_OF_SUBJECT, OF_SUBJECT, OF_STORY = 30, 10, 14
GOING_ON = 0.4
ABOUT = 2.5
DAY_MS = 86_400_000
START_MS = 1_700_000_000_000


@dataclass(frozen=True)
class Channel:
    """``words`` and ``weights`` have a row per article, in which weight 0 means no keyword."""

    words: Any
    weights: Int16s
    vectors: Int16s
    hashes: Any

    def description(self, article: int) -> Description:
        keywords = self.hashes[self.words[article]]
        order = np.argsort(keywords)
        order = order[self.weights[article, order] > 0]
        return Description(self.vectors[article], keywords[order], self.weights[article, order])

    def rows(self, days: int = 30) -> Iterator[Row]:
        """Give the rows of a log that 1 000 articles at a time were written to."""
        count = len(self.words)
        for number in range(count):
            time = START_MS + number * days * DAY_MS // count
            position = encode(time, "articles", number % 4, number)
            article = name(number)
            yield Row(
                article,
                (1 + number // 1_000).to_bytes(8),
                judged=True,
                standing=Standing(position, position, time, article),
                described=(position, self.description(number)),
            )


def name(number: int) -> str:
    return f"article-{number:08d}"


def make_channel(count: int, seed: int) -> Channel:
    draw = np.random.default_rng(seed)
    frequency = 1 / (np.arange(WORDS) + 250)
    bounds = np.cumsum(frequency / frequency.sum())

    def drawn(*shape: int) -> Any:
        return np.searchsorted(bounds, draw.random(shape) * bounds[-1])

    words, about = drawn(count, KEYWORDS), np.ones((count, KEYWORDS))
    subjects = drawn(int(count**0.5), WORDS_OF_SUBJECT)
    subject = draw.integers(len(subjects), size=count)
    chosen = draw.random((count, OF_SUBJECT)) ** 2 * WORDS_OF_SUBJECT
    words[:, -OF_SUBJECT:] = subjects[subject[:, None], chosen.astype(np.int64)]
    for number in np.flatnonzero(draw.random(count) < GOING_ON)[1:].tolist():
        earlier = max(0, number - 1 - int(draw.exponential(count / 30)))
        words[number, :OF_STORY] = words[earlier, :OF_STORY]
        words[number, -OF_SUBJECT:] = words[earlier, -OF_SUBJECT:]
    about[:, : OF_STORY // 2] = about[:, -OF_SUBJECT:] = ABOUT
    order = np.argsort(words, axis=1, kind="stable")
    words, about = (np.take_along_axis(each, order, axis=1) for each in (words, about))
    weights = np.log(1 / frequency * frequency.sum())[words] ** 1.5
    weights *= about * draw.lognormal(0, 0.7, words.shape)
    # A word twice is one keyword.
    weights[:, 1:][words[:, 1:] == words[:, :-1]] = 0
    centres = draw.normal(size=(TOPICS, DIMENSIONS))
    return Channel(
        words,
        rounded(weights),
        vectors_in_topics(centres, count, draw),
        draw.integers(1, 2**64 - 1, WORDS, dtype=np.uint64),
    )


def vectors_in_topics(centres: Any, count: int, draw: np.random.Generator) -> Int16s:
    """Give described vectors scattered around centres; a million of them piece by piece."""
    pieces = []
    for start in range(0, count, 100_000):
        size = min(100_000, count - start)
        near = centres[draw.integers(len(centres), size=size)]
        pieces.append(rounded(0.6 * near + draw.normal(size=near.shape)))
    return np.concatenate(pieces)


def make_cells(vectors: Int16s, count: int, seed: int) -> Any:
    """Give unit centres of cells: some rounds of spherical k-means on a sample."""
    draw = np.random.default_rng(seed)
    sample = vectors[draw.choice(len(vectors), min(len(vectors), 100 * count), replace=False)]
    points = sample.astype(np.float32)
    centres = points[draw.choice(len(points), count, replace=False)]
    for _ in range(8):
        own = (points @ centres.T).argmax(axis=1)
        for cell in np.flatnonzero(np.bincount(own, minlength=count)):
            centres[cell] = points[own == cell].mean(axis=0)
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return centres
