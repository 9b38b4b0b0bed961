"""From the words of a text to its shingle keys and the evidence that is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from streaming.fingerprints import hashing, shingles
from streaming.fingerprints.shingles import (
    CLAUSE_LENGTH,
    HEADLINE,
    SHORT,
    Hashes,
    bigrams,
    hashes,
)
from streaming.matching.evidence import NOT_BRIEF, Brief, Evidence, evidence
from streaming.text import reading
from streaming.text.characters import classes
from streaming.text.clauses import clauses
from streaming.text.contrasts import Contrasts
from streaming.text.dictionary import code_points
from streaming.text.features import FeatureExtractor
from streaming.text.lexemes import Lexemes
from streaming.text.segment import Tokens
from streaming.text.traditional import Simplifier

_SHORTEST_TITLE = 6


@dataclass(frozen=True, eq=False)
class Passage:
    """A normalised and simplified title or body, its tokens, and its clauses by their hashes.

    ``length`` is in ideographs, a word of letters or a figure being two. ``clauses`` are the
    hashes of its clauses of at least `CLAUSE_LENGTH`, in their order, ``phrases``, of shape
    ``(n, 2)``, those of its phrases that hold a figure and of their forms.
    """

    tokens: Sequence[Tokens]
    length: int
    clauses: Hashes
    phrases: Hashes

    @classmethod
    def read(cls, tokens: Tokens) -> "Passage":
        """Read a text that was cut."""
        codes = code_points(tokens.text.lower())
        size = len(codes)
        kinds = np.empty(size, np.uint8)
        # Between any two characters may come a space.
        spelled = np.empty((hashing.BYTES_PER_CHARACTER + 1) * size, np.uint8)
        clauses, phrases = np.empty(size, np.uint64), np.empty((size, 2), np.uint64)
        reading.classify(codes, classes(), kinds)
        count, length = reading.read_clauses(codes, kinds, CLAUSE_LENGTH, spelled, clauses)
        held = reading.read_phrases(codes, kinds, spelled, phrases)
        return cls((tokens,), length, clauses[:count], phrases[:held])

    @property
    def numbers(self) -> NDArray[np.int32]:
        """The numbers of its words."""
        return np.concatenate([each.numbers for each in self.tokens])

    @property
    def words(self) -> list[str]:
        """All its tokens."""
        return [word for each in self.tokens for word in each.words()]

    def __add__(self, other: "Passage") -> "Passage":
        return Passage(
            (*self.tokens, *other.tokens),
            self.length + other.length,
            np.concatenate([self.clauses, other.clauses]),
            np.concatenate([self.phrases, other.phrases]),
        )


def shingle(
    title: Passage,
    body: Passage,
    lexemes: Lexemes,
    extractor: FeatureExtractor,
    contrasts: Contrasts,
) -> tuple[tuple[int, ...], Evidence]:
    """Give the keys of an article and the evidence of its text.

    The text is the body; a brief one has the title before it, which says what it is about.
    ``lexemes`` has met the words of both. ``extractor`` knows how much a word says about a
    text, ``contrasts`` which words of a headline make it another story.
    """
    text = body
    if body.length < SHORT:
        text = title + body
    numbers = text.numbers
    hashed, flags = lexemes.hashed, lexemes.flags
    grams, figures = np.empty(len(numbers), np.uint64), np.empty((len(numbers), 2), np.uint64)
    count, held = reading.read_bigrams(numbers, hashed, flags, grams, figures)
    names, subjects = np.empty((2, len(numbers)), np.uint64)
    is_brief = text.length < SHORT
    named, about = reading.read_names(
        numbers, hashed, flags, int(is_brief), lexemes.counts, names, subjects
    )
    grams, phrases, brief = grams[:count], text.phrases, NOT_BRIEF
    if is_brief:
        words = text.words
        if text.length < HEADLINE:
            phrases = np.concatenate([phrases, _contrasts(contrasts.find(words))])
        units = [u for each in text.tokens for c, _ in clauses(each.text) for u in c.split()]
        weights = extractor.weights([token.lower() for token in words])
        brief = Brief(bigrams(hashes(units)), hashes(list(weights)), list(weights.values()))
    named_title = hashes(_title(clauses(title.tokens[0].text)))
    return (
        shingles.keys(text.clauses, grams, brief.units, text.length, named_title),
        evidence(
            text.length,
            grams,
            figures[:held],
            phrases,
            (names[:named], subjects[:about]),
            brief,
        ),
    )


@cache
def _simplifier() -> Simplifier:
    return Simplifier()


def named_keys(title: str, body: str) -> dict[int, str]:
    """Give the keys of a normalised article that are a clause or a title, with its words."""
    simplify = _simplifier().simplify
    parts = [clauses(simplify(each)) for each in (title, body)]
    kept = [clause for part in parts for clause, size in part if size >= CLAUSE_LENGTH]
    titles = _title(parts[0])
    return dict(
        zip(
            [*hashes(kept).tolist(), *shingles.title_keys(hashes(titles)).tolist()],
            [*kept, *titles],
            strict=True,
        )
    )


def _title(found: Sequence[tuple[str, int]]) -> list[str]:
    """Give the words of a title's clauses if it is long enough to say something."""
    if sum(size for _, size in found) < _SHORTEST_TITLE:
        return []
    return [" ".join(clause for clause, _ in found)]


def _contrasts(found: Sequence[tuple[str, str]]) -> Hashes:
    """Make a word a phrase whose form is its kind; no phrase has a space in it."""
    phrases = [text for word, kind in found for text in (f"{kind} {word}", f"{kind} ")]
    return hashes(phrases).reshape(-1, 2)
