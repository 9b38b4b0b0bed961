"""Starting Spark, and saying in a line why it does not start."""

import subprocess
import sys
from pathlib import Path

from pyspark.sql import SparkSession

NOT_MY_ADDRESS = (
    "run", "--source", "file:log", "--store", "sqlite:index.db",
    "--set", "spark.driver.bindAddress=203.0.113.1", "--until-caught-up",
)  # fmt: skip


def test_a_spark_that_does_not_start_is_told_in_a_line(tmp_path: Path) -> None:
    # In a process of its own: here a session may run already, which would be given out again.
    done = subprocess.run(
        [sys.executable, "-m", "streaming", *NOT_MY_ADDRESS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("leitong: ")]
    assert "Cannot assign requested address" in told
    assert told.endswith("run leitong doctor to see what is missing")
    assert "\tat " not in done.stderr


def test_what_a_batch_keeps_does_not_take_a_session_of_its_own(spark: SparkSession) -> None:
    # Spark 4.0.0 never lets go of a session: one for each batch would fill the heap in hours.
    frame = spark.range(1).persist()
    try:
        kept = frame._jdf.queryExecution().withCachedData().cacheBuilder()
        assert kept.cachedPlan().session().equals(spark._jsparkSession)
    finally:
        frame.unpersist()
