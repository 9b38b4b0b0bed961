"""Run a batch job on Spark so that it can be watched, and stopped with Ctrl-C."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from streaming.errors import LeitongError
from streaming.query.run import explain

Answer = TypeVar("Answer")

_POLL_SECONDS = 0.2


class JobFailed(LeitongError):  # noqa: N818 - what happened to the job, in the past tense
    """A batch job ended with an error of Spark's or of its workers."""


class JobStopped(LeitongError):  # noqa: N818 - as above
    """A batch job ended because it was asked to."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: its stage, the tasks of it that Spark knows by now, and the seconds."""

    stage: str
    finished: int
    tasks: int
    seconds: float

    def __str__(self) -> str:
        of = f": {self.finished} of {self.tasks} tasks" if self.tasks else ""
        return f"{self.stage}{of}, {self.seconds:.0f} s"


class Background(Generic[Answer]):
    """Runs one job on a thread of its own, for the main thread alone gets signals."""

    def __init__(self, spark: SparkSession, job: Callable[[Callable[[str], None]], Answer]) -> None:
        self._spark = spark
        self._job = job
        self._stage = ""
        self._answers: list[Answer] = []
        self._failures: list[BaseException] = []

    def run(self, stop: threading.Event, show: Callable[[JobProgress], None]) -> Answer:
        """Run the job to its end and give its answer.

        Raises what the job raised, or JobFailed with the cause of Spark's errors; and
        JobStopped once ``stop`` is set and Spark has let go of what it was doing.
        """
        thread = threading.Thread(target=self._run, name="job", daemon=True)
        begin = time.monotonic()
        thread.start()
        while thread.is_alive():
            if stop.is_set():
                # Again and again: the job may be between two of Spark's.
                self._spark.sparkContext.cancelAllJobs()
            else:
                show(self._progress(time.monotonic() - begin))
            thread.join(_POLL_SECONDS)
        if stop.is_set():
            raise JobStopped("stopped before it was done; nothing was written")
        for failure in self._failures:
            if isinstance(failure, PySparkException | Py4JError):
                raise JobFailed(
                    f"Spark could not do it: {explain(failure)}; nothing was written"
                ) from failure
            raise failure
        return self._answers[0]

    def _run(self) -> None:
        try:
            self._answers.append(self._job(self._begin))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._failures.append(error)

    def _begin(self, stage: str) -> None:
        self._stage = stage

    def _progress(self, seconds: float) -> JobProgress:
        tracker = self._spark.sparkContext.statusTracker()
        known = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        stages = [each for each in known if each is not None]
        finished = sum(each.numCompletedTasks for each in stages)
        return JobProgress(self._stage, finished, sum(each.numTasks for each in stages), seconds)
