"""From the words of a text to its shingle keys and the evidence that is kept of it."""

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
from streaming.matching.evidence import NOT_BRIEF, Brief
from streaming.text import reading
from streaming.text.characters import classes
from streaming.text.clauses import clauses as clauses_of
from streaming.text.codes import code_points
from streaming.text.contrasts import Contrasts
from streaming.text.features import FeatureExtractor
from streaming.text.lexemes import Lexemes
from streaming.text.recognising import recognised
from streaming.text.segment import Tokens
from streaming.text.traditional import Simplifier

_SHORTEST_TITLE = 6
_NO_TITLE = hashes([])


@dataclass(frozen=True, eq=False)
class Passage:
    """A normalised and simplified title or body, its tokens, and its clauses by their hashes.

    ``length`` is in ideographs, a word of letters or a figure being two. ``clauses`` are the
    hashes of its clauses of at least `CLAUSE_LENGTH`, in their order, ``phrases``, of shape
    ``(n, 2)``, those of its phrases that hold a figure and of their forms. ``whole`` is that
    of all clauses of a title together; of a body, which nobody asks for, it is 0.
    """

    tokens: Tokens
    length: int
    clauses: Hashes
    phrases: Hashes
    whole: int

    @classmethod
    def read(cls, tokens: Tokens, *, titled: bool = False) -> "Passage":
        """Read a text that was cut, a title or a body."""
        codes = code_points(tokens.text.lower())
        return cls(tokens, *reading.read_passage(codes, classes(), CLAUSE_LENGTH, int(titled)))


def shingle(
    title: Passage,
    body: Passage,
    lexemes: Lexemes,
    extractor: FeatureExtractor,
    contrasts: Contrasts,
) -> tuple[bytes, bytes]:
    """Give the keys of an article, packed, and the evidence of its text.

    The text is the body; a brief one has the title before it, which says what it is about.
    ``lexemes`` has met the words of both. ``extractor`` knows how much a word says about a
    text, ``contrasts`` which words of a headline make it another story.
    """
    tokens, length, clauses, phrases = body.tokens, body.length, body.clauses, body.phrases
    numbers, brief = tokens.numbers, NOT_BRIEF
    if length < SHORT:
        length += title.length
        numbers = np.concatenate([title.tokens.numbers, numbers])
        clauses = np.concatenate([title.clauses, clauses])
        phrases = np.concatenate([title.phrases, phrases])
    if length < SHORT:
        words = [*title.tokens.words(), *tokens.words()]
        if length < HEADLINE:
            phrases = np.concatenate([phrases, _contrasts(contrasts.find(words))])
        brief = _brief([title.tokens.text, tokens.text], words, extractor)
    packed, kept = recognised(
        numbers,
        lexemes.hashed,
        lexemes.flags,
        lexemes.counts,
        length,
        int(length < SHORT),
        clauses,
        phrases,
        _NO_TITLE if title.length < _SHORTEST_TITLE else np.array([title.whole], np.uint64),
        brief.units,
        brief.words,
        np.asarray(brief.weights, np.int64),
        shingles.SEEDS,
    )
    return packed.tobytes(), kept.tobytes()


def _brief(texts: Sequence[str], words: Sequence[str], extractor: FeatureExtractor) -> Brief:
    units = [unit for text in texts for clause, _ in clauses_of(text) for unit in clause.split()]
    weights = extractor.weights([word.lower() for word in words])
    return Brief(bigrams(hashes(units)), hashes(list(weights)), list(weights.values()))


@cache
def _simplifier() -> Simplifier:
    return Simplifier()


def named_keys(title: str, body: str) -> dict[int, str]:
    """Give the keys of a normalised article that are a clause or a title, with its words."""
    simplify = _simplifier().simplify
    parts = [clauses_of(simplify(each)) for each in (title, body)]
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
