"""Start the query, keep it going through outages, and stop it without losing a batch."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from streaming.durations import show
from streaming.errors import (
    AccessRefused,
    HungUp,
    LeaseLost,
    LeitongError,
    SettingsError,
    SourceError,
    StoreError,
)
from streaming.metrics import QueryMetrics, serving
from streaming.query import checkpoint
from streaming.query.announce import Announcer
from streaming.query.batch import BatchProcessor, Checkpoint
from streaming.query.health import Health
from streaming.query.keeper import LeaseKeeper
from streaming.query.progress import ProgressPublisher
from streaming.query.refusals import refusal
from streaming.query.session import connector_jars, open_session
from streaming.query.source import WHOLE, Span, check_source, open_source
from streaming.serving import Address
from streaming.settings import Settings
from streaming.stamping import stamp
from streaming.store import generations, ownership
from streaming.store.generations import Generation
from streaming.store.lease import Lease
from streaming.store.opening import located, open_catalogue, open_generation, open_index
from streaming.store.tables import tables
from streaming.urls import KafkaUrl, LogUrl

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_RANK_SECONDS = 2.0
"""How often an idle query looks for articles that were never ranked."""
_NO_TOPIC = "UnknownTopicOrPartitionException"
_STATE = "=== Streaming Query ==="
"""After it Spark prints its plan, in which no cause is."""
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


class QueryFailed(LeitongError):  # noqa: N818 - what happened to the query, in the past tense
    """The query ended with an error that trying again did not cure."""


class _StopAsked(Exception):  # noqa: N818 - not an error: the answer of a batch that does not begin
    """Raised instead of beginning a batch once the query was asked to stop."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How long a query runs, and over which part of the log.

    ``until_caught_up`` ends it when it has seen what was there at its start. ``aside``
    builds a generation beside the active one, which must be another: it is not made active
    even if there is no active one. ``metrics`` is where to answer Prometheus and who asks after
    the health of the query, None: nowhere.
    """

    until_caught_up: bool = False
    span: Span = WHOLE
    aside: bool = False
    metrics: Address | None = None


def run(
    settings: Settings, options: RunOptions, reached: Checkpoint = lambda _moment: None
) -> bool:
    """Run the query until it has caught up, or until SIGINT or SIGTERM; say if it caught up.

    It works on the generation that is meant at its start to its end, whatever is made
    active meanwhile.
    The first signal lets the batch in hand finish; a second one ends the program. When
    the store or the broker is away, the query resumes from its checkpoint with growing
    pauses, for as long as ``query.patience``; the batch it failed in is done again.
    Raises LeaseHeld if another query owns the index, LeaseLost if one took it over, and
    LeitongError for whatever else a user can mend. ``reached`` is as in `BatchProcessor`.
    """
    settings = located(settings)
    _check_access(settings)
    checkpoint.claim(
        Path(settings.query.checkpoint).absolute(),
        prepare(settings, aside=options.aside),
        options.span,
    )
    source = LogUrl.parse(settings.query.source)
    jars = connector_jars(settings, _log.info) if isinstance(source, KafkaUrl) else ()
    with ExitStack() as stack:
        keeper, owner = None, None
        if settings.query.lease:
            lease = Lease(open_index(settings), settings.query.lease / 1000)
            keeper = stack.enter_context(LeaseKeeper(lease, settings.query.lease / 1000))
            owner = lease.owner
        metrics = QueryMetrics()
        metrics.watch(open_index(settings).statistics)
        health = Health(settings.query.patience / 1000)
        where = stack.enter_context(serving(metrics.registry, health, options.metrics))
        if where is not None:
            _log.info("metrics: http://%s/metrics", where)
        processor = stack.enter_context(closing(BatchProcessor(settings, owner, reached, metrics)))
        spark = open_session(settings, jars, computes=False)
        stack.callback(spark.stop)
        stopping = threading.Event()
        stack.enter_context(_signals(stopping))
        runner = _Runner(spark, settings, options, stopping, keeper, metrics, health)
        runner.keep_going(processor)
        return not stopping.is_set()


def _check_access(settings: Settings) -> None:
    """Raise SourceError if Kafka refuses us, SettingsError if it cannot even be asked.

    What may pass, a broker that is away or a topic that is not there yet, is waited for.
    """
    query = settings.query
    checks = [
        Announcer(url, "", settings.kafka).check for url in (query.verdicts, query.dead_letters)
    ]
    if isinstance(LogUrl.parse(query.source), KafkaUrl):
        checks.insert(0, partial(check_source, settings))
    for check in checks:
        try:
            check()
        except (AccessRefused, HungUp):
            raise
        except SourceError as error:
            _log.warning("%s", error)


def prepare(settings: Settings, *, aside: bool = False) -> Generation:
    """Make the index ready: it is in the catalogue, has its tables and bears this stamp.

    ``aside`` is as in `RunOptions`.
    """
    catalogue = open_catalogue(settings)
    followed = generations.read(catalogue).followed
    name = settings.store.generation or followed
    if aside and name == followed:
        raise SettingsError(
            f"generation {name} is the active one, readers follow it: replay --into another"
            " name, or judge the log again in place with leitong replay --from-beginning"
        )
    entry = generations.register(catalogue, name, int(time.time() * 1000), activate=not aside)
    store = open_generation(settings, name)
    store.ensure_tables(tables(settings.store.retention))
    ownership.claim(store, stamp(settings))
    return entry


@contextmanager
def _signals(stopping: threading.Event) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a wish to stop; the second acts as usual."""

    def ask(number: int, _frame: FrameType | None) -> None:
        _log.info("stopping after the batch in hand; once more to stop at once")
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Runner:
    """One program's attempts at running the query."""

    def __init__(
        self,
        spark: SparkSession,
        settings: Settings,
        options: RunOptions,
        stopping: threading.Event,
        keeper: LeaseKeeper | None,
        metrics: QueryMetrics,
        health: Health,
    ) -> None:
        self._spark = spark
        self._settings = settings
        self._options = options
        self._stopping = stopping
        self._keeper = keeper
        self._metrics = metrics
        self._health = health
        self._source = LogUrl.parse(settings.query.source)
        self._finished_batches = 0

    def keep_going(self, processor: BatchProcessor) -> None:
        """Run the query again and again until it ends well or patience does."""
        pause = _FIRST_PAUSE_SECONDS
        failing_since: float | None = None
        while not self._stopping.is_set():
            finished_before = self._finished_batches
            try:
                if self._keeper:
                    self._keeper.confirm()
                self._once(processor)
            except LeaseLost:
                raise
            except (PySparkException, Py4JError, StoreError) as error:
                if self._stopping.is_set():
                    break
                if refused := refusal(error, self._source):
                    raise AccessRefused(refused) from error
                cause = explain(error)
                now = time.monotonic()
                if self._finished_batches > finished_before or failing_since is None:
                    failing_since, pause = now, _FIRST_PAUSE_SECONDS
                if now - failing_since > self._settings.query.patience / 1000:
                    raise QueryFailed(
                        f"the query failed and did not recover: {cause}; what was finished is"
                        " stored, and the same command resumes from the checkpoint"
                    ) from error
                _log.warning("the batch failed and will be done again in %.0f s: %s", pause, cause)
                _log.debug("where it failed", exc_info=error)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                return

    def _once(self, processor: BatchProcessor) -> None:
        def process(frame: DataFrame, batch_id: int) -> None:
            if self._stopping.is_set():
                raise _StopAsked
            processor(frame, batch_id)
            self._finished_batches += 1
            self._health.well()

        query = self._start(process)
        publisher = ProgressPublisher(open_index(self._settings), self._settings)
        rank_at = time.monotonic() + _RANK_SECONDS
        try:
            while query.isActive:
                idle = not query.status["isTriggerActive"]
                if idle and (self._stopping.is_set() or self._lost()):
                    query.stop()
                elif idle and time.monotonic() >= rank_at:
                    more = processor.catch_up(self._spark)
                    rank_at = time.monotonic() + (0 if more else _RANK_SECONDS)
                time.sleep(_POLL_SECONDS)
                self._tell(publisher, query)
        finally:
            if query.isActive:
                query.stop()
        failure = query.exception()
        if self._keeper and self._lost():
            self._keeper.confirm()
        if isinstance(failure, BaseException) and not self._stopping.is_set():
            raise failure
        while not self._stopping.is_set() and processor.catch_up(self._spark):
            pass

    def _tell(self, publisher: ProgressPublisher, query: StreamingQuery) -> None:
        if publisher.publish(query):
            # A batch ended; or, every ten seconds, Spark says that it found nothing new.
            self._health.well()
        self._metrics.lag(publisher.lag)

    def _lost(self) -> bool:
        return self._keeper is not None and self._keeper.lost

    def _start(self, process: Callable[[DataFrame, int], None]) -> StreamingQuery:
        frame = open_source(self._spark, self._settings, self._options.span)
        query, store = self._settings.query, self._settings.store
        writer = (
            frame.writeStream.queryName("leitong")
            .foreachBatch(process)
            .option("checkpointLocation", str(Path(query.checkpoint).absolute()))
        )
        if self._options.until_caught_up:
            writer = writer.trigger(availableNow=True)
        else:
            writer = writer.trigger(processingTime=f"{query.trigger} milliseconds")
        _log.info(
            "reading %s into generation %s of %s%s",
            query.source,
            store.generation,
            store.url,
            "" if self._options.until_caught_up else f" every {show(query.trigger)}",
        )
        return writer.start()


def explain(error: BaseException) -> str:
    """Give the line that names the cause in an error that went through Spark and a worker."""
    text = str(error)
    if _NO_TOPIC in text:
        return "the topic is not there, or not yet; leitong produce creates one"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # A trace of Java's alone, as of a heap that is full, has its cause before it.
    lines = [line for line in lines if not line.startswith(("at ", "Driver stacktrace:"))]
    own = [line for line in lines if line.startswith("streaming.errors.")]
    if own:
        return own[-1].split(":", 1)[1].strip()
    causes = [line for line in lines if line.startswith(("Caused by:", "pyspark.errors"))]
    if not causes and _STATE in lines:
        lines = lines[: lines.index(_STATE)]
    return (causes or lines or [type(error).__name__])[-1].removeprefix(": ")
