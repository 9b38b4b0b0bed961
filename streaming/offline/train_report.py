"""What training learned, for people and as JSON: figures, words, and a map of the articles.

Words are shown, texts and titles never.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streaming.similar.building import Learned, Vocabulary
from streaming.similar.description import SCALE, Int16s
from streaming.similar.neighbours import nearest
from streaming.similar.tables import Tables

_TYPICAL = 12
_NEAREST = 8
_FAMILIAR = 5_000
"""Words that others are explained with: the vectors of rare ones tell hardly anything."""
_CELL_WORDS = 3
_DIGITS = 3

Point = tuple[float, float, int]


@dataclass(frozen=True, slots=True)
class TypicalWord:
    """A word that a channel has more often than others, and the frequent words nearest to it."""

    word: str
    occurrences: int
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """Some articles of a model by the two directions in which their vectors differ most.

    A point is its two coordinates and the number of its group in ``groups``: the channels
    of the fallback, or the cells of any model that has several, named by the words nearest to
    their ``centres``. ``share`` of the variance is in these two directions.
    """

    points: tuple[Point, ...]
    groups: tuple[str, ...]
    centres: tuple[tuple[float, float], ...]
    share: float


@dataclass(frozen=True, slots=True)
class ModelReport:
    """Figures of one model; ``channel`` is None for the fallback.

    ``known`` words have a document frequency, ``words`` of them a vector as well;
    ``coverage`` is the share of the counted words of the articles that do. ``sizes`` are
    those of the cells, none if there is one only. ``recall`` is measured on articles that the
    cells were not made from.
    """

    channel: str | None
    articles: int
    tokens: int
    words: int
    known: int
    dimensions: int
    coverage: float
    cells: int
    probes: int
    recall: float | None
    sizes: tuple[int, ...]
    typical: tuple[TypicalWord, ...]
    map: Map
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The channel, or what stands for all others."""
        return "fallback" if self.channel is None else self.channel

    def lasting(self, seconds: float) -> Self:
        """Give the report with the time it took."""
        return replace(self, seconds=seconds)


@dataclass(frozen=True, slots=True)
class TrainReport:
    """Figures of one run; ``refused`` counts records that are no event, by reason."""

    articles: int
    channels: int
    refused: Mapping[str, int]
    models: tuple[ModelReport, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Give the report as JSON has it."""
        return asdict(self)

    def metrics(self) -> dict[str, Any]:
        """Give what the manifest keeps of it."""
        return {
            "articles": self.articles,
            "channels": self.channels,
            "refused": dict(self.refused),
            "seconds": {name: round(spent, 1) for name, spent in self.seconds.items()},
        }

    def lines(self) -> list[str]:
        """Say it in some lines."""
        refused = sum(self.refused.values())
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.refused.items())
        own = sum(model.channel is not None for model in self.models)
        lines = [
            f"articles    {self.articles:,} in {self.channels:,}"
            f" channel{'s' if self.channels != 1 else ''}"
            + (f"; {refused:,} records refused ({reasons})" if refused else ""),
            f"models      {own} of channels, and the fallback of all others"
            if own
            else "models      one, of all channels",
        ]
        lines += [
            f"            {model.name}: {model.articles:,} articles, {model.words:,} words,"
            f" coverage {model.coverage:.1%}, {_cells(model)}, {model.seconds:.1f} s"
            for model in self.models
        ]
        stages = ", ".join(f"{stage} {spent:.1f}" for stage, spent in self.seconds.items())
        lines.append(f"seconds     {sum(self.seconds.values()):.1f} ({stages})")
        return lines


def report_of(
    model: Learned,
    own: Mapping[str, int],
    everywhere: Mapping[str, int],
    drawn: tuple[Int16s, Sequence[str]],
    sizes: Sequence[int],
) -> ModelReport:
    """Report on a model; ``own`` and ``everywhere`` say how often words occur.

    ``drawn`` are vectors of some of its articles, with their channels.
    """
    tables = model.tables
    return ModelReport(
        channel=model.channel,
        articles=model.articles,
        tokens=model.tokens,
        words=len(tables.words),
        known=len(tables.idf_words),
        dimensions=tables.dimensions,
        coverage=model.coverage or 0.0,
        cells=len(tables.cells),
        probes=tables.probes,
        recall=model.recall,
        sizes=tuple(sizes),
        typical=_typical(model.vocabulary, own, everywhere),
        map=_map(model, *drawn),
    )


def _cells(model: ModelReport) -> str:
    if model.cells == 1:
        return "one cell"
    return f"{model.probes} of {model.cells} cells probed (recall@10 {model.recall or 0:.3f})"


def _typical(
    vocabulary: Vocabulary, own: Mapping[str, int], everywhere: Mapping[str, int]
) -> tuple[TypicalWord, ...]:
    """Give the words that tell most of a channel's words from all: their share of the divergence.

    Of all channels together, those are the most frequent ones.
    """
    mine, all_of_them = sum(own.values()), sum(everywhere.values())

    def telling(word: str) -> float:
        if word not in own:
            return 0.0
        share = own[word] / mine
        return share * math.log(share * all_of_them / everywhere[word])

    words = vocabulary.words
    telling_of = {word: round(telling(word), 12) for word in words}
    order = sorted(
        range(len(words)),
        key=lambda row: (-telling_of[words[row]], -vocabulary.counts[row], words[row]),
    )[:_TYPICAL]
    shown = np.union1d(order, _familiar(vocabulary))
    places = np.searchsorted(shown, order)
    near = (
        shown[nearest(vocabulary.vectors[shown], places, _NEAREST)]
        if len(words) > 1
        else np.empty((1, 0), np.intp)
    )
    return tuple(
        TypicalWord(words[row], vocabulary.counts[row], tuple(words[other] for other in others))
        for row, others in zip(order, near.tolist(), strict=True)
    )


def _familiar(vocabulary: Vocabulary) -> NDArray[np.intp]:
    """Give the rows of the most frequent words, in their order."""
    return np.sort(np.argsort(-np.array(vocabulary.counts), kind="stable")[:_FAMILIAR])


def _cell_names(tables: Tables, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Name each cell by the frequent words that an article in its middle would be of."""
    rows = _familiar(vocabulary)
    vectors = _units(_units(vocabulary.vectors[rows]) - tables.mean)
    order = np.argsort(-(_units(tables.cells) @ vectors.T), axis=1, kind="stable")
    return tuple(
        " ".join(vocabulary.words[row] for row in rows[best]) for best in order[:, :_CELL_WORDS]
    )


def _units(rows: NDArray[Any]) -> NDArray[np.float64]:
    length = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


def _map(model: Learned, vectors: Int16s, channels: Sequence[str]) -> Map:
    if len(vectors) < 3:  # noqa: PLR2004 - two points lie on a line
        return Map((), (), (), 0.0)
    tables = model.tables
    exact = vectors.astype(np.float64) / SCALE
    mean = exact.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov((exact - mean).T))
    plane = axes[:, [-1, -2]]
    # An axis has no direction by itself: its largest component points forward.
    plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])
    several = len(tables.cells) > 1
    if several:
        groups = _cell_names(tables, model.vocabulary)
        of = tables.cell_order(vectors)[:, 0].tolist()
        centres = _placed((tables.cells / SCALE - mean) @ plane)
    else:
        groups = tuple(sorted(set(channels)))
        of = [groups.index(channel) for channel in channels]
        centres = ()
    points = _placed((exact - mean) @ plane)
    total = float(values.sum())
    return Map(
        points=tuple((x, y, group) for (x, y), group in zip(points, of, strict=True)),
        groups=groups,
        centres=centres,
        share=round(float(values[-2:].sum()) / total, _DIGITS) if total > 0 else 0.0,
    )


def _placed(coordinates: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    rounded = np.round(coordinates, _DIGITS) + 0.0
    return tuple((x, y) for x, y in rounded.tolist())
