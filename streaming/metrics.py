"""What Prometheus scrapes: the query of its batches, the dashboard of the index it shows.

Base units, and labels of which there are few: channels, verdicts, stages, operations, reasons,
rules. Never an article, a title or a source.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streaming.serving import Address, healthz, served
from streaming.store.statistics import OperationStatistics

ORIGINAL = "original"
"""The verdict of an article that repeats nothing."""
OTHER = "other"
MOST_CHANNELS = 100
"""Channels that are told apart; what a stranger makes up after these is one of `OTHER`."""
_BATCH_SECONDS = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)


class StoreCollector(Collector):
    """Requests to the store and their seconds, per operation, as `Store.statistics` has them."""

    def __init__(self, statistics: Callable[[], Mapping[str, OperationStatistics]]) -> None:
        self._statistics = statistics

    def collect(self) -> Iterable[Metric]:
        """Read the totals."""
        requests = CounterMetricFamily(
            "leitong_store_requests", "Requests to the store.", labels=["operation"]
        )
        seconds = CounterMetricFamily(
            "leitong_store_request_seconds",
            "Seconds spent on requests to the store, waiting and retries included.",
            labels=["operation"],
        )
        retries = CounterMetricFamily(
            "leitong_store_retries", "Attempts beyond the first.", labels=["operation"]
        )
        for operation, totals in sorted(self._statistics().items()):
            requests.add_metric([operation], totals.requests)
            seconds.add_metric([operation], totals.seconds)
            retries.add_metric([operation], totals.retries)
        return [requests, seconds, retries]


def build_info(registry: CollectorRegistry, process: str) -> None:
    """Say which version of which process this is."""
    Info("leitong_build", "Version of the program.", registry=registry).info(
        {"version": version("leitong"), "process": process}
    )


class QueryMetrics:
    """What the driver of the query counts; counters begin anew with the process.

    Attempts count: a batch that runs again counts again, unlike in the statistics of the index.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        build_info(registry, "query")
        self._articles = Counter(
            "leitong_articles",
            "Articles judged in the batch that they came in.",
            ["channel", "verdict"],
            registry=registry,
        )
        self._channels: set[str] = set()
        self._rejudged = Counter(
            "leitong_articles_rejudged",
            "Articles of earlier batches that were judged again.",
            registry=registry,
        )
        self._letters = Counter(
            "leitong_dead_letters", "Records refused.", ["reason"], registry=registry
        )
        self._batch = Histogram(
            "leitong_batch_duration_seconds",
            "Wall time of a micro-batch.",
            buckets=_BATCH_SECONDS,
            registry=registry,
        )
        self._stages = Counter(
            "leitong_stage_seconds", "Wall time per stage of batches.", ["stage"], registry=registry
        )
        self._last = Gauge(
            "leitong_last_batch_timestamp_seconds",
            "When the last batch ended, in seconds since 1970.",
            registry=registry,
        )
        self._lag = Gauge(
            "leitong_kafka_lag_offsets", "Records of the log not yet read.", registry=registry
        )

    def watch(self, statistics: Callable[[], Mapping[str, OperationStatistics]]) -> None:
        """Tell of the requests of the driver's own store as well."""
        self.registry.register(StoreCollector(statistics))

    def batch(
        self,
        judged: Iterable[tuple[str, str | None]],
        rejudged: int,
        refused: Mapping[str, int],
        seconds: Mapping[str, float],
        ended_s: float,
    ) -> None:
        """Count a batch; ``judged`` has the channel and relation of each of its articles."""
        for channel, relation in judged:
            if len(self._channels) < MOST_CHANNELS:
                self._channels.add(channel)
            known = channel if channel in self._channels else OTHER
            self._articles.labels(known, relation or ORIGINAL).inc()
        self._rejudged.inc(rejudged)
        for reason, records in refused.items():
            self._letters.labels(reason).inc(records)
        for stage, spent in seconds.items():
            self._stages.labels(stage).inc(spent)
        self._batch.observe(sum(seconds.values()))
        self._last.set(ended_s)

    def lag(self, records: int | None) -> None:
        """Tell how far behind the query is; what is not known is not told."""
        self._lag.set(float("nan") if records is None else records)


class IndexCollector(Collector):
    """What the dashboard knows of the index, asked for when it is scraped.

    ``ask`` gives the answer of `streaming.dashboard.now` with alerts, or None if the store
    does not answer.
    """

    def __init__(self, ask: Callable[[], Mapping[str, Any] | None]) -> None:
        self._ask = ask

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the store before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Ask, and tell."""
        found = self._ask()
        yield _gauge("leitong_store_up", "Whether the store answers.", found is not None)
        if found is None or "rate" not in found:
            return
        rate, progress, last = found["rate"], found["progress"], found["last"]
        running = found["state"] == "running"
        yield _gauge("leitong_query_running", "Whether a query owns the index and lives.", running)
        yield _gauge(
            "leitong_recent_articles", "Articles of the last five whole minutes.", rate["articles"]
        )
        yield _gauge("leitong_recent_repeats", "Those of them that repeat.", rate["repeats"])
        yield _gauge(
            "leitong_recent_dead_letters", "Dead letters of a day.", found["dead_letters"]["count"]
        )
        if progress is not None and progress["lag_records"] is not None:
            yield _gauge(
                "leitong_index_lag_offsets",
                "Records of the log not yet read, as the query said last.",
                progress["lag_records"],
            )
        if last is not None:
            yield _gauge(
                "leitong_index_last_batch_timestamp_seconds",
                "When the last batch began, in seconds since 1970.",
                last["started_ms"] / 1000,
            )
        if found["hot_buckets"] is not None:
            # A total that goes down when boilerplate is dropped: a gauge, whatever its name.
            yield _gauge(
                "leitong_hot_buckets_total",
                "Keys that more articles carry than are seen under one.",
                found["hot_buckets"],
            )
        alerts = GaugeMetricFamily("leitong_alerts", "Alerts that stand, by rule.", labels=["rule"])
        for rule, count in found["alert_counts"].items():
            alerts.add_metric([rule], count)
        yield alerts


def _gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, told, value=float(value))


class Complaining(Protocol):
    """Knows whether a process works."""

    def complaint(self) -> str | None:
        """Say what is wrong; None if nothing is."""
        ...


def exposed(registry: CollectorRegistry, health: Complaining) -> WSGIApplication:
    """Give the application with `/metrics` and `/healthz`; nothing else is there."""
    metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, start_response)
        if path == "/healthz":
            return healthz(health.complaint(), start_response)
        status = HTTPStatus.NOT_FOUND
        start_response(f"{status.value} {status.phrase}", [("Content-Length", "0")])
        return []

    return answer


@contextmanager
def serving(
    registry: CollectorRegistry, health: Complaining, address: Address | None
) -> Iterator[Address | None]:
    """Serve both while the context is open; gives where, None if it was asked for nowhere."""
    if address is None:
        yield None
        return
    with served(exposed(registry, health), address) as where:
        yield where
