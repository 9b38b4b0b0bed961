"""The Spark session of the query."""

import os
import sys
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from pyspark.sql import SparkSession

from streaming.errors import PrerequisiteError
from streaming.settings import Settings
from streaming.stack.java import java_command

RECORDS_PER_ARROW_BATCH = 500
_COMPILED_ONCE = "-XX:TieredStopAtLevel=1"
# What Spark shows of nothing: its own rule, and Kafka's properties that may be secrets.
_REDACTED = "(?i)secret|password|token|access[.]?key|jaas|kafka[.](sasl|ssl)[.]"


def open_session(
    settings: Settings, jars: Sequence[Path] = (), *, computes: bool = True
) -> SparkSession:
    """Start Spark with what the query needs; ``[spark]`` settings win over ours.

    Where Java only moves bytes between Python workers it ``computes`` nothing: then to compile
    its code a second time for speed, as it does by itself, takes longer than what that saves.
    Raises PrerequisiteError if there is no Java that Spark can run on.
    """
    java_command()
    # Workers must run this interpreter: another one has other packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    master = _prefixed(settings.spark).get("spark.master", "local[*]")
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
            "spark.redaction.regex": _REDACTED,
            "spark.python.daemon.module": "streaming.query.daemon",
            "spark.sql.session.timeZone": "UTC",
            # All that is ever shuffled by count is a few figures; 200 tasks for them cost seconds.
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.execution.arrow.maxRecordsPerBatch": str(RECORDS_PER_ARROW_BATCH),
            # What the query keeps or moves is compressed texts and hashes.
            "spark.sql.inMemoryColumnarStorage.compressed": "false",
            "spark.shuffle.compress": str(computes).lower(),
            "spark.sql.streaming.minBatchesToRetain": "20",
        }
        if jars:
            options["spark.jars"] = ",".join(str(jar) for jar in jars)
        builder = SparkSession.builder
        for name, value in {**options, **_prefixed(settings.spark)}.items():
            builder = builder.config(name, value)
        try:
            session = builder.getOrCreate()
        except Exception as error:
            raise PrerequisiteError(
                f"Spark did not start: {_cause(error)}; run leitong doctor to see what is missing"
            ) from error
    return session


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
