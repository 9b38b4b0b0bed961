"""From what was learned to a version that can be published."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.errors import ModelsError
from streaming.similar import manifest
from streaming.similar.description import SCALE, Hashes64
from streaming.similar.manifest import FALLBACK, Manifest, Model, StoredFile
from streaming.similar.registry import stored_files
from streaming.similar.scoring import Ranking
from streaming.similar.tables import Float32s, Tables
from streaming.similar.words import Method, word_hash

WORDS = "words.txt"
"""For people: the words in the order of their hashes, each with a tab and how often it was met."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Words and their vectors, in the order of the words' hashes."""

    words: tuple[str, ...]
    counts: tuple[int, ...]
    hashes: Hashes64
    vectors: Float32s

    def counted(self, occurrences: Mapping[str, int]) -> "Vocabulary":
        """Give the same words with other counts."""
        return replace(self, counts=tuple(occurrences.get(word, 0) for word in self.words))


@dataclass(frozen=True, slots=True, eq=False)
class Frequencies:
    """Inverse document frequencies, in the order of the words' hashes, and that of any other."""

    hashes: Hashes64
    idf: Float32s
    unknown: float


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A model that was learned: the tables it applies, and what is to be said of it."""

    channel: str | None
    tables: Tables
    vocabulary: Vocabulary
    articles: int = 0
    tokens: int = 0
    coverage: float | None = None
    recall: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """What is said of a version as a whole; fields as in `Manifest`."""

    ranking: Ranking
    keywords: Method = "tfidf"
    source: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


def vocabulary(words: Sequence[str], counts: Sequence[int], vectors: Float32s) -> Vocabulary:
    """Sort words and their vectors; of two words with one hash the former stays."""
    hashes, order = _by_hash(words)
    return Vocabulary(
        tuple(words[place] for place in order),
        tuple(counts[place] for place in order),
        hashes,
        np.ascontiguousarray(vectors[order], np.float32),
    )


def frequencies(having: Mapping[str, int], articles: int) -> Frequencies:
    """Give ln(N / df) of words that ``having`` articles have; a word that none has, ln(N / 0.5)."""
    idf = {word: math.log(articles / count) for word, count in having.items()}
    return scaled_frequencies(idf, math.log(articles / 0.5))


def scaled_frequencies(idf: Mapping[str, float], unknown: float) -> Frequencies:
    """Take frequencies as they are."""
    words = list(idf)
    hashes, order = _by_hash(words)
    values = np.array([round(idf[words[place]], 6) for place in order], np.float32)
    return Frequencies(hashes, values, round(unknown, 6))


def tables(
    learned: Vocabulary,
    known: Frequencies,
    mean: Float32s | None = None,
    cells: NDArray[np.int16] | None = None,
    probes: int = 1,
) -> Tables:
    """Join what was learned; without a mean and cells, nothing is taken off and there is one."""
    dimensions = learned.vectors.shape[1]
    return Tables(
        words=learned.hashes,
        vectors=learned.vectors,
        idf_words=known.hashes,
        idf=known.idf,
        mean=np.zeros(dimensions, np.float32) if mean is None else mean,
        cells=one_cell(dimensions) if cells is None else cells,
        unknown=known.unknown,
        probes=probes,
    )


def recut(tables: Tables, cells: NDArray[np.int16], probes: int = 1) -> Tables:
    """Give tables with other cells."""
    return replace(tables, cells=cells, probes=probes)


def one_cell(dimensions: int) -> NDArray[np.int16]:
    """Give the centre of the only cell of a model, which nothing depends on."""
    centre = np.zeros((1, dimensions), np.int16)
    centre[0, 0] = SCALE
    return centre


def write_version(
    directory: Path, stop_words: Collection[str], models: Sequence[Learned], version: Version
) -> Callable[[str], Manifest]:
    """Write the files of a version, and give what makes its manifest once it has a name."""
    path = directory / manifest.STOP_WORDS
    try:
        path.write_text("\n".join(sorted(stop_words)), encoding="utf-8")
        told = tuple(_write(directory, name, model) for name, model in _named(models))
    except OSError as error:
        raise ModelsError(
            f"{directory}: cannot be written ({error.strerror}); make room there"
        ) from error
    kept = StoredFile.of(path)
    created = datetime.now(UTC).isoformat(timespec="seconds")

    def finish(name: str) -> Manifest:
        return manifest.seal(
            version=name,
            created=created,
            source=dict(version.source),
            metrics=dict(version.metrics),
            text=dict(version.text),
            settings=dict(version.settings),
            keywords=version.keywords,
            ranking=version.ranking,
            stop_words=kept,
            models=told,
        )

    return finish


def read_words(directory: Path) -> list[tuple[str, int]]:
    """Read the words of a model's directory, in the order of its vectors."""
    try:
        lines = (directory / WORDS).read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ModelsError(
            f"{directory / WORDS}: cannot be read ({error.strerror}); publish the version again"
        ) from error
    pairs = (line.rpartition("\t") for line in lines if line)
    return [(word, int(count)) for word, _, count in pairs]


def _named(models: Sequence[Learned]) -> list[tuple[str, Learned]]:
    """Name directories by numbers: channels may be called anything."""
    own = sorted(
        (model for model in models if model.channel is not None),
        key=lambda each: each.channel or "",
    )
    fallback = [model for model in models if model.channel is None]
    numbered = [(f"channel-{number:02d}", model) for number, model in enumerate(own, 1)]
    return [(FALLBACK, model) for model in fallback] + numbered


def _write(directory: Path, name: str, model: Learned) -> Model:
    own = directory / name
    own.mkdir()
    model.tables.save(own)
    words = zip(model.vocabulary.words, model.vocabulary.counts, strict=True)
    text = "".join(f"{word}\t{count}\n" for word, count in words)
    (own / WORDS).write_text(text, encoding="utf-8", errors="replace")
    return Model(
        name=name,
        channel=model.channel,
        articles=model.articles,
        tokens=model.tokens,
        words=len(model.tables.words),
        dimensions=model.tables.dimensions,
        idf_words=len(model.tables.idf),
        unknown=model.tables.unknown,
        cells=len(model.tables.cells),
        probes=model.tables.probes,
        coverage=model.coverage,
        recall=model.recall,
        files=stored_files(own),
    )


def _by_hash(words: Sequence[str]) -> tuple[Hashes64, NDArray[np.intp]]:
    hashes = np.array([word_hash(word) for word in words], np.uint64)
    return np.unique(hashes, return_index=True)
