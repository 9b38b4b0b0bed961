"""Workers look for what they import in directories, not in archives, which take their time."""

import gc
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyspark.sql import SparkSession

from streaming.query.daemon import without_archives


def looked_at(_: Iterable[int]) -> Iterator[tuple[list[str], int]]:
    places = [each for each in sys.path_importer_cache if Path(each).is_file()]
    yield [each for each in [*sys.path, *places] if Path(each).is_file()], gc.get_freeze_count()


def test_workers_read_no_archives_and_leave_what_their_parent_made_alone(
    spark: SparkSession,
) -> None:
    ((archives, frozen),) = (
        spark.sparkContext.parallelize([1], 1).mapPartitions(looked_at).collect()
    )
    assert archives == []
    assert frozen > 100_000


def test_archives_stay_where_pyspark_is_in_one_of_them(tmp_path: Path) -> None:
    path = [str(tmp_path), "pyspark.zip", "spark-core.jar"]
    assert without_archives(path) == path
    rest = without_archives([*sys.path, "pyspark.zip", "spark-core.jar"])
    assert rest == [each for each in sys.path if not each.endswith(".zip")]
