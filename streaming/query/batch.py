"""One micro-batch on Spark: enrich, put, barrier, judge, report.

Run by ``foreachBatch``, so at least once: everything it does may be done again. The
batch's number is never used as an identity; numbers begin anew with a checkpoint.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import orjson
from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as f

from streaming import announcements, deadletters
from streaming.announcements import Message
from streaming.engine import statistics, succession, summaries
from streaming.engine.attempt import attempt
from streaming.figures import write_figures
from streaming.matching.verdict import REPEATS
from streaming.metrics import QueryMetrics
from streaming.position import Position
from streaming.query import tasks
from streaming.query.announce import Announcer
from streaming.query.in_force import NO_MODELS, Chosen, InForce
from streaming.query.progress import publish_offsets
from streaming.query.shipping import for_workers, tables_for_workers
from streaming.settings import Settings
from streaming.similar.scoring import ONE
from streaming.store import ownership
from streaming.store.contract import Store
from streaming.store.opening import open_index
from streaming.store.tables import tables
from streaming.viewing import drop_views

_FORGET_SECONDS = 3_600
_PIECES_PER_TASK = 2
"""How many tasks there are for each that runs at a time: scopes differ in size."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class BatchFigures:
    """What one attempt at a micro-batch did; ``seconds`` are wall time per stage.

    ``offsets`` maps each partition read, as text, to the offset after its last record.
    ``affected`` counts articles of earlier batches that were judged again, ``changed``
    those of them whose verdict is another one now. ``ranked`` counts articles whose
    neighbours were looked for, once per model.
    """

    batch_id: int
    token: int = 0
    started_ms: int = 0
    events: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    judged: int = 0
    duplicates: int = 0
    affected: int = 0
    changed: int = 0
    ranked: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def total_seconds(self) -> float:
        """Wall time of the batch."""
        return sum(self.seconds.values())

    def summary(self) -> str:
        """One line for the log."""
        seconds = self.total_seconds()
        rate = f"{self.events / seconds:,.0f}/s" if seconds else "-"
        parts = [
            f"{self.events:,} events",
            f"{self.duplicates:,} duplicates",
            f"{seconds:.1f} s ({rate})",
        ]
        if self.affected:
            parts.insert(2, f"{self.affected:,} judged again ({self.changed:,} changed)")
        if self.refused:
            reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(self.refused.items()))
            parts.insert(1, f"refused: {reasons}")
        return f"batch {self.batch_id}: " + ", ".join(parts)


Checkpoint = Callable[[str], None]
"""Called with the name of a moment in a batch; tests end the process there."""


class BatchProcessor:
    """Processes micro-batches into one index, and announces what came out.

    Announcements are made at least once. ``owner`` is the holding of the index without
    which the tasks do no work, None where nobody has to hold it. ``reached`` is called at
    the moments ``put`` (all puts ended), ``judged`` (all verdicts stand), ``ranked`` (all
    lists) and ``announced``; a crash at any of them must change nothing.
    """

    def __init__(
        self,
        settings: Settings,
        owner: str | None = None,
        reached: Checkpoint = lambda _moment: None,
        metrics: QueryMetrics | None = None,
    ) -> None:
        self._settings = settings.for_workers()
        self._metrics = metrics
        self._owner = owner
        self._reached = reached
        self._forget_at = 0.0
        self._models = Chosen(settings)
        self._complete: set[bytes] = set()
        self._to_read: Settings | None = None
        self._logs = NO_MODELS.known.logs
        self._working = threading.Lock()
        query = settings.query
        self._verdicts = Announcer(query.verdicts, "verdicts", settings.kafka)
        self._dead_letters = Announcer(query.dead_letters, "dead-letters", settings.kafka)

    def close(self) -> None:
        """Let go of the topics."""
        self._verdicts.close()
        self._dead_letters.close()

    def __call__(self, frame: DataFrame, batch_id: int) -> None:
        """Process one micro-batch; raises whatever went wrong, and then Spark comes again."""
        with self._working:
            self._process(frame, batch_id)

    def catch_up(self, spark: SparkSession) -> bool:
        """Rank some articles that never were; says whether there may be more.

        For the time between two batches: one that begins meanwhile waits.
        """
        with self._working:
            store = open_index(self._settings)
            models = self._in_force(store)
            if not succession.behind(models.known, self._complete):
                return False
            self._rank(spark, store, models, ownership.next_token(store), None, set())
            return bool(succession.behind(self._in_force(store).known, self._complete))

    def _in_force(self, store: Store) -> InForce:
        """Look up the models in force, and let go of what was kept for others."""
        models = self._models.in_force(store)
        if models.known.logs != self._logs:
            self._logs = models.known.logs
            drop_views(self._settings, self._logs)
        return models

    def _of_workers(self, spark: SparkSession) -> Settings:
        """Give the settings under which workers read texts: all the time the same."""
        if self._to_read is None:
            text = tables_for_workers(spark, self._settings.text)
            self._to_read = self._settings.model_copy(update={"text": text})
        return self._to_read

    def _process(self, frame: DataFrame, batch_id: int) -> None:
        figures = BatchFigures(batch_id, started_ms=int(time.time() * 1000))
        settings = self._settings
        spark = frame.sparkSession
        store = open_index(settings)
        models = self._in_force(store)
        partitions = self._tasks(spark)
        enrich = tasks.enrich_task(self._of_workers(spark), for_workers(spark, models.handles))
        enriched = (
            frame.mapInArrow(enrich, tasks.ENRICHED)
            # All events of an article belong into one task: two could not agree on `first`.
            .repartition(partitions, "article")
            .persist(StorageLevel.MEMORY_AND_DISK)
        )
        try:
            with _timed(figures, "enrich"):
                top = self._measure(enriched, figures)
            if not figures.events and not figures.refused:
                return
            letters: list[Row] = []

            def put() -> None:
                task = tasks.put_task(settings, self._owner)
                with _timed(figures, "put"):
                    letters.extend(enriched.mapInArrow(task, tasks.REFUSED).collect())
                self._reached("put")

            def judge(token: bytes, mark: bytes | None) -> list[Row]:
                figures.token = int.from_bytes(token)
                task = tasks.judge_task(settings, self._owner, token, mark, models.rankings)
                with _timed(figures, "judge"):
                    return _events(enriched).mapInArrow(task, tasks.JUDGED).collect()

            done = attempt(store, top, put, judge)
            self._reached("judged")
            with _timed(figures, "rank"):
                touched = {
                    (each["model"], each["scope"]) for row in done.judged for each in row["scopes"]
                }
                ranked = self._rank(spark, store, models, done.token, done.mark, touched)
                figures.ranked = sum(row["articles"] for row in ranked)
            self._reached("ranked")
            with _timed(figures, "report"):
                self._report(
                    store, figures, letters, done.token, done.judged, _lists(models, ranked)
                )
            self._forget(store)
        finally:
            enriched.unpersist()
        _write_figures(store, figures)
        if self._metrics is not None:
            own = (row for row in done.judged if row["in_batch"] and row["channel"] is not None)
            self._metrics.batch(
                ((row["channel"], row["relation"]) for row in own),
                figures.affected,
                figures.refused,
                figures.seconds,
                time.time(),
            )
        _log.info("%s", figures.summary())

    def _tasks(self, spark: SparkSession) -> int:
        """Give how many tasks there are to a job."""
        return self._settings.query.tasks or max(2, spark.sparkContext.defaultParallelism)

    def _rank(
        self,
        spark: SparkSession,
        store: Store,
        models: InForce,
        token: bytes,
        mark: bytes | None,
        touched: set[tuple[str, str]],
    ) -> list[Row]:
        """Rank the scopes that were touched, and those that have a backlog.

        Readers follow the chosen model as soon as it has none.
        """
        behind = succession.behind(models.known, self._complete)
        backlog = self._settings.query.backlog
        jobs = [
            tasks.RankingJob(
                model,
                scope,
                models.known.logs[model],
                models.rankings[model],
                backlog if model in behind else 0,
            )
            for model, scope in succession.scopes_to_rank(store, models.known, touched, behind)
        ]
        rows: list[Row] = []
        if jobs:
            task = tasks.rank_task(self._settings, self._owner, token, mark, jobs)
            pieces = _PIECES_PER_TASK * self._tasks(spark)
            numbers = spark.range(0, len(jobs), 1, min(len(jobs), pieces))
            rows = numbers.mapInArrow(task, tasks.RANKED).collect()
        waiting = {row["model"] for row in rows if row["waiting"]}
        for name in behind:
            if name not in waiting:
                self._complete.add(models.known.logs[name].since)
                self._models.finished(store, name)
        return rows

    def _announce(self, messages: Iterable[Message]) -> None:
        self._verdicts.send(messages)
        self._reached("announced")

    def _forget(self, store: Store) -> None:
        """Let the store remove what has expired, now and then."""
        if time.monotonic() < self._forget_at:
            return
        self._forget_at = time.monotonic() + _FORGET_SECONDS
        removed = store.expire(tables(self._settings.store.retention))
        if removed:
            _log.info("%s expired cells are gone", f"{removed:,}")

    def _measure(self, enriched: DataFrame, figures: BatchFigures) -> Position | None:
        """Count the batch, and give its largest position; materialises the enriched rows."""
        partition, offset = (
            f.conv(f.hex(f.substring("position", start, size)), 16, 10)
            for start, size in ((-12, 4), (-8, 8))
        )
        counted = (
            enriched.groupBy("reason", partition.alias("partition"))
            .agg(
                f.count("*").alias("records"),
                f.max("position").alias("top"),
                f.max(offset.cast("bigint")).alias("offset"),
            )
            .collect()
        )
        top = None
        for row in counted:
            number = row["partition"]
            figures.offsets[number] = max(figures.offsets.get(number, 0), row["offset"] + 1)
            if row["reason"] is None:
                figures.events += row["records"]
                top = Position(max(top or b"", bytes(row["top"])))
            else:
                known = figures.refused.get(row["reason"], 0)
                figures.refused[row["reason"]] = known + row["records"]
        return top

    def _report(
        self,
        store: Store,
        figures: BatchFigures,
        letters: list[Row],
        token: bytes,
        judged: list[Row],
        lists: Mapping[str, bytes],
    ) -> None:
        own = [row for row in judged if row["in_batch"]]
        mine = {row["article"] for row in own}
        others = {row["article"]: row for row in judged if row["article"] not in mine}
        figures.judged = len(own)
        figures.duplicates = sum(row["relation"] in REPEATS for row in own)
        figures.affected = len(others)
        figures.changed = sum(row["changed"] for row in others.values())
        minutes = {minute for row in judged for minute in row["minutes"]}
        statistics.roll_up(store, minutes)
        summaries.summarise(store, minutes)
        due = [
            announcements.with_similar(tasks.announcement(row.asDict()), lists.get(row["article"]))
            for row in own + list(others.values())
            if row["said"]
        ]
        announcements.deliver(store, token, due, self._announce, self._owner)
        refused = deadletters.read(store, [bytes(row["row"]) for row in letters])
        self._dead_letters.send(
            Message(each.key, each.value, tuple(each.message_headers())) for each in refused
        )


def _lists(models: InForce, ranked: Iterable[Row]) -> dict[str, bytes]:
    """Give the lists that readers follow of what was judged, as verdicts announce them."""
    return {
        article: orjson.dumps(
            {
                "model": models.known.followed,
                "articles": [[other, points / ONE] for other, points in similar],
            }
        )
        for row in ranked
        if row["model"] == models.known.followed
        for article, similar in orjson.loads(bytes(row["lists"])).items()
    }


def _events(enriched: DataFrame) -> DataFrame:
    return enriched.where("reason IS NULL").select(
        "article", "position", "content", "override", "described"
    )


def _write_figures(store: Store, figures: BatchFigures) -> None:
    write_figures(store, figures.token, asdict(figures))
    publish_offsets(store, figures.offsets)


@contextmanager
def _timed(figures: BatchFigures, stage: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    figures.seconds[stage] = round(time.perf_counter() - begin, 3)
