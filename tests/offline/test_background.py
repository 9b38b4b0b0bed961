import threading
import time
from collections.abc import Callable, Iterable

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from streaming.errors import SourceError
from streaming.offline.background import Background, JobFailed, JobProgress, JobStopped
from streaming.query.run import explain

Job = Callable[[Callable[[str], None]], int]


def sleeping(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    for batch in batches:
        time.sleep(60)
        yield batch


def failing(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    raise SourceError("the disk is full: make room")
    yield from batches


def test_the_answer_comes_back_and_the_stage_is_shown(spark: SparkSession) -> None:
    seen: list[JobProgress] = []

    def job(on_stage: Callable[[str], None]) -> int:
        on_stage("counting")
        time.sleep(0.5)
        return spark.range(7).count()

    assert Background(spark, job).run(threading.Event(), seen.append) == 7
    assert "counting" in {each.stage for each in seen}


def test_a_job_that_is_stopped_lets_go_of_spark_at_once(spark: SparkSession) -> None:
    stop = threading.Event()

    def job(_on_stage: Callable[[str], None]) -> int:
        return spark.range(2).mapInArrow(sleeping, "id BIGINT").count()

    def stop_when_busy(progress: JobProgress) -> None:
        if progress.tasks:
            stop.set()

    begin = time.monotonic()
    with pytest.raises(JobStopped, match="nothing was written"):
        Background(spark, job).run(stop, stop_when_busy)
    assert time.monotonic() - begin < 50
    assert spark.range(3).count() == 3


def test_a_worker_that_fails_is_told_in_a_line(spark: SparkSession) -> None:
    def job(_on_stage: Callable[[str], None]) -> int:
        return spark.range(2).mapInArrow(failing, "id BIGINT").count()

    with pytest.raises(JobFailed, match="the disk is full: make room; nothing") as raised:
        Background(spark, job).run(threading.Event(), lambda _progress: None)
    assert len(str(raised.value).splitlines()) == 1


def test_what_the_job_raises_comes_through(spark: SparkSession) -> None:
    def job(_on_stage: Callable[[str], None]) -> int:
        raise SourceError("gone")

    with pytest.raises(SourceError, match="gone"):
        Background(spark, job).run(threading.Event(), lambda _progress: None)


def test_progress_in_a_line() -> None:
    assert str(JobProgress("match", 3, 8, 12.34)) == "match: 3 of 8 tasks, 12 s"
    assert str(JobProgress("match", 0, 0, 0.0)) == "match, 0 s"


def test_the_cause_of_an_error_of_java_is_told() -> None:
    full = (
        "An error occurred while calling o42.fit.\n"
        ": org.apache.spark.SparkException: Job aborted: Java heap space\n"
        "\tat org.apache.spark.scheduler.DAGScheduler.abort(DAGScheduler.scala:2935)\n"
        "Driver stacktrace:\n"
        "\tat java.base/java.lang.Thread.run(Thread.java:840)\n"
    )
    assert explain(Exception(full)) == (
        "org.apache.spark.SparkException: Job aborted: Java heap space"
    )
