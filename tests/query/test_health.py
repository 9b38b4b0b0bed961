"""Whether a query gets on, as what would restart it is told."""

import threading
from typing import Any

from streaming.metrics import QueryMetrics
from streaming.query.health import LONGEST_BATCH_SECONDS, Health
from streaming.query.run import RunOptions, _Runner
from streaming.settings import load


class Clock:
    """Time as a test sets it, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Publisher:
    """Says whether Spark told anything new; how far behind the query is, is not known."""

    lag = None

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)

    def publish(self, _query: Any) -> bool:
        return self.answers.pop(0)


def test_silence_longer_than_patience_and_a_batch_is_a_complaint() -> None:
    clock = Clock()
    health = Health(600.0, clock)
    clock.now = 600.0 + LONGEST_BATCH_SECONDS
    assert health.complaint() is None
    clock.now += 1.0
    assert health.complaint() == "the query hangs: no batch has ended for 901s, more than 15m"
    health.well()
    assert health.complaint() is None


def test_an_idle_query_is_well_for_as_long_as_spark_says_that_it_looks() -> None:
    clock = Clock()
    health = Health(0.0, clock)
    settings = load(environment={}).settings
    nothing: Any = None
    runner = _Runner(
        nothing, settings, RunOptions(), threading.Event(), None, QueryMetrics(), health
    )
    publisher: Any = Publisher(True, False, False)  # noqa: FBT003 - what it answers
    clock.now = LONGEST_BATCH_SECONDS
    runner._tell(publisher, nothing)
    clock.now = 2 * LONGEST_BATCH_SECONDS
    runner._tell(publisher, nothing)
    assert health.complaint() is None
    clock.now += 1.0
    runner._tell(publisher, nothing)
    assert health.complaint() is not None
