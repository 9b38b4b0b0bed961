"""The Spark session of the query, in a program of ours or in one that spark-submit started."""

import os
import sys
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from streaming.errors import PrerequisiteError, SettingsError
from streaming.settings import Settings
from streaming.stack.jars import Progress, spark_kafka_jars
from streaming.stack.java import java_command

RECORDS_PER_ARROW_BATCH = 500
_COMPILED_ONCE = "-XX:TieredStopAtLevel=1"
_CONNECTOR = "org.apache.spark.sql.kafka010.KafkaSourceProvider"


def submitted() -> bool:
    """Tell whether spark-submit started this program, and before it the driver's Java."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def named_jars(settings: Settings) -> str | None:
    """Give the jars that ``[spark]`` names, as files or as packages; None if it names none."""
    wanted = _prefixed(settings.spark)
    return wanted.get("spark.jars") or wanted.get("spark.jars.packages")


def own_connector() -> Path | None:
    """Give the Kafka connector among the jars of Spark itself, if somebody put it there."""
    home = Path(os.environ.get("SPARK_HOME") or pyspark.__path__[0])
    return next(home.glob("jars/spark-sql-kafka-0-10_*.jar"), None)


def connector_jars(settings: Settings, progress: Progress) -> Sequence[Path]:
    """Give the jars to open a session with that reads from Kafka: none where Spark has them.

    They are fetched if they never were and ``[spark]`` names no jars. Raises SettingsError if
    spark-submit was not given them, since a driver that runs takes no more; PrerequisiteError
    as `spark_kafka_jars`.
    """
    if submitted():
        if not _is_loaded(_CONNECTOR):
            raise SettingsError(
                "spark-submit was not given Spark's Kafka connector: add"
                ' --jars "$(leitong prepare --jars)"'
            )
        return ()
    return () if named_jars(settings) or own_connector() else spark_kafka_jars(progress)


# What Spark shows of nothing: its own rule, and Kafka's properties that may be secrets.
_REDACTED = "(?i)secret|password|token|access[.]?key|jaas|kafka[.](sasl|ssl)[.]"

# Spark remembers up to a thousand jobs and their plans, and a hundred thousand tasks, for a page
# that is off: a query that runs for weeks would fill its heap with them for hours.
_FORGETFUL = {
    "spark.ui.retainedJobs": "20",
    "spark.ui.retainedStages": "20",
    "spark.ui.retainedTasks": "200",
    "spark.sql.ui.retainedExecutions": "20",
}


def open_session(
    settings: Settings, jars: Sequence[Path] = (), *, computes: bool = True
) -> SparkSession:
    """Start Spark with what the query needs; ``[spark]`` settings win over ours.

    Where spark-submit started the program, what it was told wins over ours, too, and Spark logs
    as it was told there.
    Where Java only moves bytes between Python workers it ``computes`` nothing: then to compile
    its code a second time for speed, as it does by itself, takes longer than what that saves.
    Raises PrerequisiteError if there is no Java that Spark can run on.
    """
    given = _given() if submitted() else {}
    wanted = _prefixed(settings.spark)
    if not given:
        java_command()
    # Workers must run this interpreter, unless another is named: a third has other packages.
    python = wanted.get("spark.pyspark.python", sys.executable)
    os.environ.setdefault("PYSPARK_PYTHON", python)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    master = (given | wanted).get("spark.master", "local[*]")
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    java = "" if computes else f" {_COMPILED_ONCE}"
    with as_file(files("streaming.query") / "log4j2.properties") as logging:
        options = {
            "spark.app.name": "leitong",
            "spark.master": master,
            "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging.as_uri()}{java}",
            "spark.executor.extraJavaOptions": java,
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            **_FORGETFUL,
            "spark.redaction.regex": _REDACTED,
            "spark.python.daemon.module": "streaming.query.daemon",
            "spark.sql.session.timeZone": "UTC",
            # All that is ever shuffled by count is a few figures; 200 tasks for them cost seconds.
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.adaptive.enabled": "false",
            # To keep a frame Spark clones a session that has either of these on, and Spark 4.0.0
            # never lets go of a clone: one for each batch would fill the heap within hours.
            "spark.sql.sources.bucketing.autoBucketedScan.enabled": "false",
            "spark.sql.adaptive.applyFinalStageShuffleOptimizations": "false",
            "spark.sql.execution.arrow.maxRecordsPerBatch": str(RECORDS_PER_ARROW_BATCH),
            # What the query keeps or moves is compressed texts and hashes.
            "spark.sql.inMemoryColumnarStorage.compressed": "false",
            "spark.shuffle.compress": str(computes).lower(),
            "spark.sql.streaming.minBatchesToRetain": "20",
        }
        if jars:
            options["spark.jars"] = ",".join(str(jar) for jar in jars)
        builder = SparkSession.builder
        for name, value in {**options, **given, **wanted}.items():
            builder = builder.config(name, value)
        try:
            session = builder.getOrCreate()
        except Exception as error:
            raise PrerequisiteError(
                f"Spark did not start: {_cause(error)}; run leitong doctor to see what is missing"
            ) from error
    return session


def _given() -> dict[str, str]:
    """Give what spark-submit was told, but for the name that it makes of the program's file."""
    _java()
    given = dict(SparkConf().getAll())
    if given.get("spark.app.name", "").endswith(".py"):
        del given["spark.app.name"]
    return given


def _is_loaded(name: str) -> bool:
    loader = _java().java.lang.Thread.currentThread().getContextClassLoader()
    return loader.getResource(f"{name.replace('.', '/')}.class") is not None


def _java() -> Any:
    """Give what reaches the driver's Java, which spark-submit started."""
    SparkContext._ensure_initialized()  # noqa: SLF001 - as SparkConf does
    return SparkContext._jvm  # noqa: SLF001 - before there is a session there is no other way


def _cause(error: BaseException) -> str:
    """Give the line that says what is wrong in an error that may bring Java's trace along."""
    lines = [line for line in str(error).splitlines() if line.strip() and line[0] != "\t"]
    return lines[-1].removeprefix(": ") if lines else type(error).__name__


def _prefixed(options: dict[str, str]) -> dict[str, str]:
    """Let ``[spark]`` keys leave out the ``spark.`` that all of them begin with."""
    return {
        name if name.startswith("spark.") else f"spark.{name}": value
        for name, value in options.items()
    }
