"""Learn one model on Spark: the vectors of its words, the mean of its articles, its cells.

Word2Vec works in one task, on articles in the order of their ids, and whatever is added up
over tasks is whole numbers: the same articles and options give the same model.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.clustering import BisectingKMeans
from pyspark.ml.feature import Word2Vec
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from streaming.errors import SourceError
from streaming.offline import train_cells, train_tasks
from streaming.offline.train_input import Source
from streaming.offline.train_report import ModelReport, report_of
from streaming.similar import building
from streaming.similar.building import Frequencies, Learned, Vocabulary
from streaming.similar.description import Int16s, rounded
from streaming.similar.scoring import Ranking
from streaming.similar.tables import Tables, means
from streaming.similar.words import Method, WordHashes

MOST_WORDS_OF_SENTENCE = 1_000
_HASHES = 2**31
_DRAWN = 600
_CELL_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What is trained, on what, and what lists of similar articles will be under it.

    A channel with fewer than ``least_articles`` has no model of its own; of one with more
    than ``most_articles`` about so many are learned from, always the same ones. A model of
    at least ``cells_from`` articles is cut into cells. ``dimensions``, ``window``,
    ``min_count`` and ``iterations`` are Word2Vec's.
    """

    source: Source
    ranking: Ranking = field(default_factory=Ranking)
    keywords: Method = "tfidf"
    dimensions: int = 100
    window: int = 5
    min_count: int = 3
    iterations: int = 3
    seed: int = 1
    least_articles: int = 500
    most_articles: int = 200_000
    cells_from: int = 20_000

    def told(self) -> dict[str, Any]:
        """Say for the manifest what decides the outcome, but for the source and the ranking."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in {"source", "ranking", "keywords"}
        }


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counted words: of each, how often it occurs, and how many articles have it."""

    occurrences: Mapping[str, int]
    having: Mapping[str, int]
    articles: int

    @property
    def tokens(self) -> int:
        """How many words were counted."""
        return sum(self.occurrences.values())


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """Learns models from ``words``, rows of `train_tasks.WORDS` that are kept.

    ``counts`` has a channel's words, and those of all of them under None, which stands for
    the fallback. With ``vocabularies``, that were learned elsewhere, there is a model of each
    of them. May be used by several threads at once.
    """

    spark: SparkSession
    options: TrainOptions
    words: DataFrame
    counts: Mapping[str | None, Counts]
    vocabularies: Mapping[str | None, Vocabulary] = field(default_factory=dict)

    def channels(self) -> list[str | None]:
        """Give those that get a model, the ones with most articles first."""
        if self.vocabularies:
            return list(self.vocabularies)
        return sorted(
            (channel for channel in self.counts if self._has_model(channel)),
            key=lambda channel: (-self.counts[channel].articles, channel or ""),
        )

    def _has_model(self, channel: str | None) -> bool:
        if channel is None:
            return True
        counts = self.counts[channel]
        # All there is makes the fallback already.
        part = self.options.least_articles <= counts.articles < self.counts[None].articles
        return part and self.options.ranking.scope == "channel" and self._is_learnable(counts)

    def _is_learnable(self, counts: Counts) -> bool:
        return max(counts.occurrences.values(), default=0) >= self.options.min_count

    def learn(self, channel: str | None) -> tuple[Learned, ModelReport]:
        """Learn one model; SourceError if there is nothing to learn it from."""
        own = self.counts.get(channel)
        begin = time.perf_counter()
        if own is None:
            raise SourceError(
                f"no article is in the channel {channel}, whose words would be counted; give"
                " articles of it, or leave out its model"
            )
        chosen = self._chosen(channel, own)
        given = self.vocabularies.get(channel)
        learned = self._vocabulary(chosen, own) if given is None else given.counted(own.occurrences)
        known = building.frequencies(own.having, own.articles)
        tables = self._with_cells(chosen, own, self._with_mean(chosen, learned, known))
        drawn = self._drawn(chosen, own, tables.tables)
        coverage = sum(learned.counts) / max(1, own.tokens)
        model = Learned(
            channel, tables.tables, learned, own.articles, own.tokens, coverage, tables.recall
        )
        told = report_of(model, own.occurrences, self.counts[None].occurrences, drawn, tables.sizes)
        return model, told.lasting(time.perf_counter() - begin)

    def _chosen(self, channel: str | None, counts: Counts) -> DataFrame:
        """Give the articles that a model is learned from."""
        words = self.words
        if channel is not None:
            words = words.where(F.col("channel") == channel)
        return _sampled(words, "learn", self.options.most_articles, counts.articles)

    def _vocabulary(self, chosen: DataFrame, counts: Counts) -> Vocabulary:
        options = self.options
        if not self._is_learnable(counts):
            raise SourceError(
                f"no word occurs {options.min_count} times; give more articles, or lower"
                " --min-count"
            )
        sentences = chosen.select("article", F.concat("title", "body").alias("words"))
        # Tasks would come in any order, and each would have a random sequence of its own.
        ordered = sentences.repartition(1).sortWithinPartitions("article")
        model = Word2Vec(
            vectorSize=options.dimensions,
            windowSize=options.window,
            minCount=options.min_count,
            maxIter=options.iterations,
            seed=options.seed,
            numPartitions=1,
            maxSentenceLength=MOST_WORDS_OF_SENTENCE,
            inputCol="words",
            outputCol="vector",
        ).fit(ordered.select("words"))
        found = model.getVectors()
        found = found.select("word", vector_to_array(F.col("vector"), "float32").alias("vector"))
        table = found.toArrow()
        known = table.column("word").to_pylist()
        return building.vocabulary(
            known,
            [counts.occurrences[word] for word in known],
            _matrix(table, np.float32),
        )

    def _with_mean(self, chosen: DataFrame, learned: Vocabulary, known: Frequencies) -> Tables:
        tables = building.tables(learned, known)
        with self._sent(tables) as sent:
            task = train_tasks.sums_task(sent, self.options.keywords)
            rows = chosen.mapInArrow(task, train_tasks.SUMS).collect()
        total = sum((np.array(row.total, np.int64) for row in rows), np.zeros(1, np.int64))
        mean = means(total, sum(row.articles for row in rows))
        return building.tables(learned, known, np.broadcast_to(mean, tables.mean.shape))

    def _with_cells(self, chosen: DataFrame, counts: Counts, tables: Tables) -> "_Celled":
        options = self.options
        if min(counts.articles, options.most_articles) < options.cells_from:
            return _Celled(tables, None, ())
        with self._sent(tables) as sent:
            task = train_tasks.vectors_task(sent, options.keywords)
            found = chosen.mapInArrow(task, train_tasks.VECTORS)
            with _kept(found.withColumn("drawn", _hash("hold out"))) as kept:
                table = kept.toArrow().sort_by("article")
                drawn = table.column("drawn").to_numpy()
                limit = int(np.sort(drawn)[train_cells.held_out(len(drawn))])
                centres = self._centres(kept.where(F.col("drawn") >= limit), len(drawn))
        vectors = _matrix(table, np.int16)
        cut = building.recut(tables, centres)
        probes = train_cells.choose_probes(cut, vectors[drawn >= limit], vectors[drawn < limit])
        sizes = np.bincount(train_cells.own_cells(cut, vectors), minlength=len(centres))
        return _Celled(
            building.recut(tables, centres, probes.count), probes.recall, tuple(sizes.tolist())
        )

    def _centres(self, vectors: DataFrame, articles: int) -> Int16s:
        floats = F.transform("vector", lambda each: each.cast("double"))
        rows = vectors.select("article", array_to_vector(floats).alias("features"))
        clustering = BisectingKMeans(
            k=train_cells.cell_count(articles),
            maxIter=_CELL_ROUNDS,
            seed=self.options.seed,
            distanceMeasure="cosine",
        )
        with _kept(rows.repartition(1).sortWithinPartitions("article")) as ordered:
            centres = rounded(np.array(clustering.fit(ordered).clusterCenters()))
        return centres[centres.any(axis=1)]

    def _drawn(self, chosen: DataFrame, counts: Counts, tables: Tables) -> tuple[Int16s, list[str]]:
        """Give the vectors of some articles, and their channels, for a picture."""
        articles = min(counts.articles, self.options.most_articles)
        table = _sampled(chosen, "draw", _DRAWN, articles).toArrow().sort_by("article")
        hashes = WordHashes()
        columns = (table.column(name).to_pylist() for name in ("title", "body"))
        vectors = [
            tables.describe(hashes.of(title), hashes.of(body), self.options.keywords).vector
            for title, body in zip(*columns, strict=True)
        ]
        kept = [place for place, vector in enumerate(vectors) if vector.any()]
        channels = table.column("channel").to_pylist()
        found = np.array([vectors[place] for place in kept], np.int16)
        return found.reshape(-1, tables.dimensions), [channels[place] for place in kept]

    @contextmanager
    def _sent(self, tables: Tables) -> Iterator[Any]:
        """Send tables to the workers, and let go of them afterwards."""
        sent = self.spark.sparkContext.broadcast(tables)
        try:
            yield sent
        finally:
            sent.unpersist()


@dataclass(frozen=True, slots=True, eq=False)
class _Celled:
    tables: Tables
    recall: float | None
    sizes: tuple[int, ...]


def _matrix(table: Any, kind: Any) -> NDArray[Any]:
    """Give a column ``vector`` of lists of one length as a matrix."""
    column = table.column("vector").combine_chunks()
    values: NDArray[Any] = column.flatten().to_numpy(zero_copy_only=False).astype(kind)
    return values.reshape(len(column), -1)


def _sampled(words: DataFrame, seed: str, wanted: int, articles: int) -> DataFrame:
    """Give about so many articles, always the same ones of the same set."""
    if articles <= wanted:
        return words
    return words.where(_hash(seed) < _HASHES * wanted // articles)


def _hash(seed: str) -> Any:
    return F.pmod(F.xxhash64(F.lit(seed), F.col("article")), F.lit(_HASHES))


@contextmanager
def _kept(frame: DataFrame) -> Iterator[DataFrame]:
    yield frame.persist()
    frame.unpersist()
