"""Match two catalogues of titles on Spark, whatever the sizes of their categories.

Read, count, sample, share out, match, reduce: titles are read and cut into words once and
kept; how many titles have a word is counted over both catalogues; how much work a category
is, is estimated on a sample; rows go to the task that the plan names; and the best of what
the pieces of a category found is the answer. It does not depend on the plan.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from streaming.matching.title_thresholds import (
    TITLE_DEFAULTS,
    TitleRelation,
    TitleThresholds,
)
from streaming.matching.titles import Whole
from streaming.offline import match_input, match_tasks
from streaming.offline.balance import Category, Cutting, Split, balance
from streaming.offline.catalogues import check_catalogue
from streaming.offline.estimate import estimate
from streaming.offline.match_input import RefusedLine
from streaming.offline.match_report import MatchReport, SkewedCategory, TaskTally
from streaming.offline.match_tasks import LEFT, RIGHT, WORD
from streaming.text.settings import TextSettings

_ROWS_PER_ARROW_BATCH = 20_000
_TASKS_PER_CORE = 4
_SAMPLED_CATEGORIES = 32
_SAMPLED_TITLES = 1_000
"""Of each side of a sampled category."""
_HASHES = 2**31


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """What is matched: two catalogues, and the field within which titles are compared.

    The work is shared among so many ``tasks``, or four per core.
    """

    left: Path
    right: Path
    by: str = "channel"
    thresholds: TitleThresholds = TITLE_DEFAULTS
    text: TextSettings = field(default_factory=TextSettings)
    tasks: int | None = None
    cutting: Cutting = field(default_factory=Cutting)


@dataclass(frozen=True, slots=True)
class Matched:
    """The answer, and the figures of the run.

    ``matches`` has the columns ``left``, ``right``, ``score`` (millionths) and ``relation``,
    one row per left title that has any, in the order of their ids. ``refused`` is as
    `match_input.refused_lines` gives it. All of it has to fit into the driver's memory.
    """

    matches: pa.Table
    refused: Sequence[RefusedLine]
    report: MatchReport


def match_catalogues(
    spark: SparkSession,
    options: MatchOptions,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> Matched:
    """Match two catalogues; ``on_stage`` hears the name of every stage that begins.

    Raises SettingsError or SourceError for a catalogue that cannot be read. What Spark
    raises is not caught; nothing is written.
    """
    for path in (options.left, options.right):
        check_catalogue(path)
    with ExitStack() as stack:
        return _Matching(spark, options, on_stage, stack).matched()


class _Matching:
    def __init__(
        self,
        spark: SparkSession,
        options: MatchOptions,
        on_stage: Callable[[str], None],
        stack: ExitStack,
    ) -> None:
        self._spark, self._options = spark, options
        self._on_stage, self._stack = on_stage, stack
        self._tasks = options.tasks or spark.sparkContext.defaultParallelism * _TASKS_PER_CORE
        self._seconds: dict[str, float] = {}
        rows = str(_ROWS_PER_ARROW_BATCH)
        self._set("spark.sql.execution.arrow.maxRecordsPerBatch", rows)
        self._set("spark.sql.shuffle.partitions", str(self._tasks))

    def matched(self) -> Matched:
        paths = self._options.left, self._options.right
        with self._stage("read"), match_input.damage_told(paths):
            rows = self._kept(self._rows())
            titles = rows.where(match_input.IS_TITLE)
            sizes = match_input.count_titles(titles)
            refused = match_input.refused_lines(rows)
        with self._stage("sample"):
            words = self._kept(_count_words(titles))
            categories = self._categories(titles, words, sizes)
            splits = balance(categories, self._tasks, self._options.cutting)
        with self._stage("match"):
            routed = self._routed(titles, words, splits)
            totals = {each.name: each.left + each.right for each in categories}
            matching = match_tasks.match_task(totals, self._options.thresholds)
            found = self._kept(routed.mapInArrow(matching, match_tasks.MATCHED))
            tallies = [
                TaskTally(**orjson.loads(row.tally))
                for row in found.where("tally is not null").select("tally").collect()
            ]
        with self._stage("reduce"):
            matches = _best(found).toArrow().sort_by("left")
        return Matched(
            matches, refused, self._report(sizes, categories, splits, refused, tallies, matches)
        )

    def _set(self, name: str, value: str) -> None:
        before = self._spark.conf.get(name)
        self._spark.conf.set(name, value)
        if before is not None:
            self._stack.callback(self._spark.conf.set, name, before)

    def _kept(self, frame: DataFrame) -> DataFrame:
        """Keep what is used more than once."""
        frame = frame.persist()
        self._stack.callback(frame.unpersist)
        return frame

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self._on_stage(name)
        begin = time.perf_counter()
        yield
        self._seconds[name] = time.perf_counter() - begin

    def _rows(self) -> DataFrame:
        options = self._options
        paths = {LEFT: options.left, RIGHT: options.right}
        return match_input.read_catalogues(self._spark, paths, options.by, options.text)

    def _categories(
        self, titles: DataFrame, words: DataFrame, sizes: Mapping[str, tuple[int, int]]
    ) -> list[Category]:
        """Estimate how many candidates categories have: the largest by their own sample."""
        common = {name: size for name, size in sizes.items() if all(size)}
        largest = sorted(common, key=lambda name: (-common[name][0] * common[name][1], name))
        largest = largest[:_SAMPLED_CATEGORIES]
        if not largest:
            return []
        rates = {
            (name, side): min(_HASHES, _HASHES * _SAMPLED_TITLES // common[name][side])
            for name in largest
            for side in (LEFT, RIGHT)
        }
        chosen = self._spark.createDataFrame(
            [(name, side, rate) for (name, side), rate in rates.items()],
            "category STRING, side INT, rate BIGINT",
        )
        sample = (
            titles.select("category", "side", "words", _hash("name", seed="sample"))
            .join(F.broadcast(chosen), ["category", "side"])
            .where("hash < rate")
            .select("category", "side", "words")
        )
        needed = _words_of(sample).distinct()
        counts = words.join(needed, ["category", "name"]).select("category", "name", "having")
        return estimate(
            common, largest, sample.toArrow(), counts.toArrow(), self._options.thresholds
        )

    def _routed(
        self, titles: DataFrame, words: DataFrame, splits: Mapping[str, Split]
    ) -> DataFrame:
        """Send titles, and the words of their categories with their counts, to their tasks."""
        nothing = F.lit(None)
        rows = titles.select(
            "category",
            F.col("side").alias("kind"),
            "name",
            "words",
            nothing.cast("bigint").alias("having"),
            _hash("name"),
        ).union(
            words.select(
                "category",
                F.lit(WORD).alias("kind"),
                "name",
                nothing.cast("array<string>").alias("words"),
                "having",
                F.lit(0).cast("bigint").alias("hash"),
            )
        )
        keys = self._keys()
        return rows.mapInArrow(
            match_tasks.route_task(splits, keys), match_tasks.ROUTED
        ).repartition(self._tasks, "task")

    def _keys(self) -> Whole:
        """Find for each task a number that Spark's partitioner sends to it."""
        partition = F.pmod(F.hash("id"), F.lit(self._tasks)).alias("task")
        rows = (
            self._spark.range(self._tasks * 64)
            .groupBy(partition)
            .agg(F.min("id").alias("key"))
            .collect()
        )
        keys = np.zeros(self._tasks, np.int64)
        for task, key in rows:
            keys[task] = key
        return keys

    def _report(
        self,
        sizes: Mapping[str, tuple[int, int]],
        categories: Sequence[Category],
        splits: Mapping[str, Split],
        refused: Sequence[RefusedLine],
        tallies: Sequence[TaskTally],
        matches: pa.Table,
    ) -> MatchReport:
        relations = Counter(matches.column("relation").to_pylist())
        return MatchReport(
            left=sum(left for left, _ in sizes.values()),
            right=sum(right for _, right in sizes.values()),
            refused=dict(Counter(each.reason for each in refused).most_common()),
            categories=len(sizes),
            common_categories=len(categories),
            pairs=sum(each.left * each.right for each in categories),
            skewed=tuple(
                SkewedCategory(
                    each.name,
                    each.left,
                    each.right,
                    split.left_pieces,
                    split.right_pieces,
                    len({task for row in split.tasks for task in row}),
                )
                for each in sorted(
                    categories, key=lambda each: (-each.left * each.right, each.name)
                )
                if (split := splits[each.name]).pieces > 1
            ),
            planned_tasks=self._tasks,
            tasks=tuple(tallies),
            matches={
                relation.name.lower(): relations[relation]
                for relation in sorted(TitleRelation, reverse=True)
                if relation
            },
            seconds=self._seconds,
        )


def _words_of(titles: DataFrame) -> DataFrame:
    return titles.select("category", F.explode("words").alias("name"))


def _count_words(titles: DataFrame) -> DataFrame:
    """Count how many titles of a category have a word."""
    return _words_of(titles).groupBy("category", "name").agg(F.count("*").alias("having"))


def _best(found: DataFrame) -> DataFrame:
    """Keep the best of what the pieces of a category found for a left title."""
    order = F.struct(-F.col("relation"), -F.col("score"), "right", "score", "relation")
    best = found.where("tally is null").groupBy("left").agg(F.min(order).alias("best"))
    return best.select("left", "best.right", "best.score", "best.relation")


def _hash(column: str, seed: str = "") -> Column:
    return F.pmod(F.xxhash64(F.lit(seed), F.col(column)), F.lit(_HASHES)).alias("hash")
