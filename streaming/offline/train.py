"""Train a version of the models on Spark: words, vectors and cells of every channel.

Read, cut, count, learn: contents are read and folded to the current one of every article;
the text stage cuts them into words, once; words are counted over all tasks; and each channel
that is large enough gets a model of its own, learned by MLlib's Word2Vec. Another one,
learned from all of them, is for the rest.

The same articles and options give the same files, and so the same checksum.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from streaming.errors import SourceError
from streaming.offline import train_input, train_tasks
from streaming.offline.match_input import damage_told
from streaming.offline.train_input import Files, Source
from streaming.offline.train_learning import Counts, Learner, TrainOptions
from streaming.offline.train_report import ModelReport, TrainReport
from streaming.query.shipping import tables_for_workers
from streaming.settings import Settings
from streaming.similar.building import Learned, Version, Vocabulary
from streaming.text.loading import load_stop_words
from streaming.text.pipeline import TextPipeline

_TASKS_PER_CORE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What is to be published, and the report."""

    models: tuple[Learned, ...]
    stop_words: frozenset[str]
    version: Version
    report: TrainReport

    def told(self, more: Mapping[str, Any]) -> "Trained":
        """Give the same with more to say of where it comes from."""
        source = {**self.version.source, **more}
        return replace(self, version=replace(self.version, source=source))


def train(
    spark: SparkSession,
    settings: Settings,
    options: TrainOptions,
    on_stage: Callable[[str], None] = lambda _stage: None,
    vocabularies: Mapping[str | None, Vocabulary] | None = None,
) -> Trained:
    """Train models; ``on_stage`` hears the name of every stage that begins.

    With ``vocabularies``, those are the models, and only what goes with them is learned: how
    rare words are, the mean of the articles, and cells.

    Raises SettingsError or SourceError for a source that cannot be read, or has too few
    articles for even one model. What Spark raises is not caught; nothing is written.
    """
    with ExitStack() as stack:
        training = _Training(spark, settings, options, on_stage, stack)
        return training.trained(vocabularies or {})


class _Training:
    def __init__(
        self,
        spark: SparkSession,
        settings: Settings,
        options: TrainOptions,
        on_stage: Callable[[str], None],
        stack: ExitStack,
    ) -> None:
        self._spark, self._settings, self._options = spark, settings, options
        self._on_stage, self._stack = on_stage, stack
        self._seconds: dict[str, float] = {}
        self._cores = spark.sparkContext.defaultParallelism
        self._set("spark.sql.shuffle.partitions", str(self._cores * _TASKS_PER_CORE))

    def trained(self, vocabularies: Mapping[str | None, Vocabulary]) -> Trained:
        options = self._options
        with self._stage("read"), damage_told(getattr(options.source, "paths", ())):
            contents = options.source.contents(self._spark, self._settings)
            contents = contents.persist(StorageLevel.DISK_ONLY)
            self._stack.callback(contents.unpersist)
            refused = train_input.refused(contents)
        with self._stage("cut into words"):
            text = tables_for_workers(self._spark, self._settings.text)
            cut = train_tasks.words_task(text, normalised=options.source.normalised)
            texts = train_input.current(contents)
            words = texts.mapInArrow(cut, train_tasks.WORDS).persist(StorageLevel.DISK_ONLY)
            self._stack.callback(words.unpersist)
            sizes = {row[0]: row[1] for row in words.groupBy("channel").count().collect()}
            contents.unpersist()
            self._check(sizes, refused)
        with self._stage("count words"):
            counts = _counted(words, sizes)
        with self._stage("learn"):
            learner = Learner(self._spark, options, words, counts, vocabularies)
            learned = self._learned(learner)
        models = tuple(model for model, _ in learned)
        report = TrainReport(
            articles=sum(sizes.values()),
            channels=len(sizes),
            refused=refused,
            models=tuple(told for _, told in learned),
            seconds=self._seconds,
        )
        version = Version(
            ranking=options.ranking,
            keywords=options.keywords,
            source=options.source.told(self._settings) | {"articles": report.articles},
            settings=options.told(),
            text=TextPipeline(self._settings.text).words_stamp(),
            metrics=report.metrics(),
        )
        return Trained(models, load_stop_words(self._settings.text), version, report)

    def _set(self, name: str, value: str) -> None:
        before = self._spark.conf.get(name)
        self._spark.conf.set(name, value)
        if before is not None:
            self._stack.callback(self._spark.conf.set, name, before)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self._on_stage(name)
        begin = time.perf_counter()
        yield
        self._seconds[name] = time.perf_counter() - begin

    def _check(self, sizes: Mapping[str, int], refused: Mapping[str, int]) -> None:
        articles, least = sum(sizes.values()), self._options.least_articles
        if articles >= least:
            return
        told = ", ".join(f"{reason} {count:,}" for reason, count in refused.items())
        raise SourceError(
            f"{_name(self._options.source, self._settings)}: has {articles:,} articles with words,"
            f" too few for a model (at least {least:,}); give more, or lower --least-articles"
            + (f"; refused: {told}" if told else "")
        )

    def _learned(self, learner: Learner) -> list[tuple[Learned, ModelReport]]:
        """Learn models side by side, for Word2Vec keeps only one core busy."""
        done = 0
        with ThreadPoolExecutor(max(1, self._cores), "learn") as pool:
            futures = [pool.submit(learner.learn, channel) for channel in learner.channels()]
            try:
                for future in as_completed(futures):
                    future.result()
                    done += 1
                    self._on_stage(f"learn, {done} of {len(futures)} models")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._spark.sparkContext.cancelAllJobs()
                raise
        found = [future.result() for future in futures]
        return sorted(found, key=lambda each: (each[0].channel is not None, each[0].channel or ""))


def _counted(words: DataFrame, sizes: Mapping[str, int]) -> dict[str | None, Counts]:
    """Count words by channel, and for all of them under None."""
    rows = words.mapInArrow(train_tasks.counts_task(), train_tasks.COUNTS)
    summed = rows.groupBy("channel", "word").agg(
        F.sum("occurrences").alias("occurrences"), F.sum("having").alias("having")
    )
    table = summed.toArrow().sort_by([("channel", "ascending"), ("word", "ascending")])
    occurrences: dict[str | None, dict[str, int]] = {None: {}, **{name: {} for name in sizes}}
    having: dict[str | None, dict[str, int]] = {None: {}, **{name: {} for name in sizes}}
    columns = (
        table.column(name).to_pylist() for name in ("channel", "word", "occurrences", "having")
    )
    for channel, word, met, articles in zip(*columns, strict=True):
        for name in (None, channel):
            occurrences[name][word] = occurrences[name].get(word, 0) + met
            having[name][word] = having[name].get(word, 0) + articles
    articles_of: dict[str | None, int] = {None: sum(sizes.values())}
    articles_of.update(sizes)
    return {
        name: Counts(occurrences[name], having[name], articles_of[name]) for name in articles_of
    }


def _name(source: Source, settings: Settings) -> str:
    if isinstance(source, Files):
        return ", ".join(map(str, source.paths))
    told = source.told(settings)
    return str(told.get("log") or settings.store.url)
