"""From the words of a text to its shingle keys and the evidence that is kept of it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from streaming.fingerprints import shingles
from streaming.fingerprints.shingles import (
    CLAUSE_LENGTH,
    HEADLINE,
    SHORT,
    Hashes,
    bigrams,
    hashes,
)
from streaming.matching.evidence import NOT_BRIEF, Brief, Evidence, evidence
from streaming.text.clauses import clauses
from streaming.text.contrasts import Contrasts
from streaming.text.features import FeatureExtractor
from streaming.text.traditional import Simplifier

VERSION = 3
"""Goes up whenever the same words may give other keys or other evidence."""

_SHORTEST_TITLE = 6
_SUBJECT_COUNT = 3
"""A rare word that occurs so often is what a text is about; a reporter's name is not.

A brief one says nothing so often: it is about the names in it.
"""
_CACHED_WORDS = 400_000
_WORD = re.compile(r"[^\W_]")
_FIGURE = re.compile(r"[0-9零〇一二三四五六七八九十百千万亿两]+")
_HAS_DIGIT = re.compile(r"[0-9]")
# What stands beside a figure that is spelled out, in the same word or clause.
_SPELLED = re.compile(
    r"第?[零〇一二三四五六七八九十百千万亿两]+[年月日号届轮次名点时分秒岁元人个家]?"
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A normalised title or body: its tokens, and what `clauses` and `figured` give of it."""

    words: list[str]
    clauses: list[tuple[str, int]]
    figured: list[tuple[str, str]]

    @property
    def length(self) -> int:
        """Its length in ideographs, a word of letters or a figure being two."""
        return sum(size for _, size in self.clauses)

    def __add__(self, other: "Passage") -> "Passage":
        return Passage(
            self.words + other.words,
            self.clauses + other.clauses,
            self.figured + other.figured,
        )


def shingle(
    title: Passage, body: Passage, extractor: FeatureExtractor, contrasts: Contrasts
) -> tuple[tuple[int, ...], Evidence]:
    """Give the keys of an article and the evidence of its text.

    The text is the body; a brief one has the title before it, which says what it is about.
    ``extractor`` knows how much a word says about a text, ``contrasts`` which words of a
    headline make it another story.
    """
    text = body
    if body.length < SHORT:
        text = title + body
    words = [each for each in map(_hashed.__getitem__, text.words) if each is not None]
    pairs = np.array(words, dtype=np.uint64).reshape(-1, 2)
    grams = bigrams(pairs[:, 0])
    long_enough = [clause for clause, size in text.clauses if size >= CLAUSE_LENGTH]
    names, subjects = _names(text, extractor)
    phrases = text.figured
    if text.length < HEADLINE:
        phrases = [*phrases, *_contrasts(contrasts.find(text.words))]
    brief = NOT_BRIEF
    if text.length < SHORT:
        units = [unit for clause, _ in text.clauses for unit in clause.split()]
        weights = extractor.weights([token.lower() for token in text.words])
        brief = Brief(bigrams(hashes(units)), hashes(list(weights)), list(weights.values()))
    return (
        shingles.keys(hashes(long_enough), grams, brief.units, text.length, hashes(_title(title))),
        evidence(
            text.length,
            grams,
            _figures(pairs, grams),
            _phrases(phrases),
            (hashes(names), hashes(subjects)),
            brief,
        ),
    )


@cache
def _simplifier() -> Simplifier:
    return Simplifier()


def named_keys(title: str, body: str) -> dict[int, str]:
    """Give the keys of a normalised article that are a clause or a title, with its words."""
    simplify = _simplifier().simplify
    parts = Passage([], clauses(simplify(title)), []), Passage([], clauses(simplify(body)), [])
    kept = [clause for part in parts for clause, size in part.clauses if size >= CLAUSE_LENGTH]
    titles = _title(parts[0])
    return dict(
        zip(
            [*hashes(kept).tolist(), *shingles.title_keys(hashes(titles)).tolist()],
            [*kept, *titles],
            strict=True,
        )
    )


def _title(title: Passage) -> list[str]:
    """Give the title's words if it is long enough to say something."""
    if title.length < _SHORTEST_TITLE:
        return []
    return [" ".join(clause for clause, _ in title.clauses)]


def _figures(pairs: Hashes, grams: Hashes) -> tuple[Hashes, Hashes]:
    """Give the bigrams that hold a figure, and their forms."""
    held = pairs[:, 0] != pairs[:, 1]
    if len(held) > 1:
        held = held[:-1] | held[1:]
    return grams[held], bigrams(pairs[:, 1])[held]


def _names(text: Passage, extractor: FeatureExtractor) -> tuple[list[str], list[str]]:
    """Give the rare words of a text, and those of them that it is about."""
    counts = Counter(text.words)
    rare = extractor.rare(counts)
    if text.length < SHORT:
        return rare, extractor.unknown(rare)
    return rare, [word for word in rare if counts[word] >= _SUBJECT_COUNT]


def _contrasts(found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Make a word a phrase whose form is its kind; no phrase has a space in it."""
    return [(f"{kind} {word}", f"{kind} ") for word, kind in found]


def _phrases(found: Sequence[tuple[str, str]]) -> tuple[Hashes, Hashes]:
    """Give the phrases that hold a figure, and their forms."""
    return hashes([phrase for phrase, _ in found]), hashes([form for _, form in found])


class _HashedWords(dict[str, tuple[int, int] | None]):
    """The hashes of a token and of its form, which has figures masked; None if it is no word."""

    def __missing__(self, token: str) -> tuple[int, int] | None:
        found = None
        if _WORD.search(token):
            word = token.lower()
            has_figure = _HAS_DIGIT.search(word) or _SPELLED.fullmatch(word)
            form = _FIGURE.sub("#", word) if has_figure else word
            first, second = hashes([word, form]).tolist()
            found = (first, second)
        if len(self) >= _CACHED_WORDS:
            self.clear()
        self[token] = found
        return found


_hashed = _HashedWords()
