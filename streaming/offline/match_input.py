"""Two catalogues as one frame of titles, with every line accounted for."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from streaming.errors import SourceError
from streaming.offline import match_tasks
from streaming.offline.catalogues import GZIP_SUFFIX, LineFault
from streaming.offline.match_tasks import LEFT, RIGHT
from streaming.query.shipping import tables_for_workers
from streaming.text.settings import TextSettings

IS_TITLE = "name is not null and reason is null"
"""What tells titles from the other rows of `read_catalogues`."""

_DAMAGED = ("java.io.EOFException", "java.util.zip.", "incorrect header check", "invalid block")
_GLOB = str.maketrans({character: f"\\{character}" for character in "\\*?[]{}"})


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that holds no title: its side, its number from 1, and why."""

    side: int
    line: int
    reason: str
    detail: str


def read_catalogues(
    spark: SparkSession, paths: Mapping[int, Path], by: str, text: TextSettings
) -> DataFrame:
    """Give the rows of `match_tasks.READ` of the files of both sides.

    A title whose id an earlier line has is refused; the place of that line is in ``first``.
    """
    lines = _lines(spark, paths[LEFT], LEFT).union(_lines(spark, paths[RIGHT], RIGHT))
    read = match_tasks.read_task(by, tables_for_workers(spark, text))
    rows = lines.mapInArrow(read, match_tasks.READ)
    place = F.struct("block", "row")
    # Rows without an id must not all meet in one task.
    name = F.coalesce("name", F.concat_ws("/", "block", "row"))
    first = F.min(place).over(Window.partitionBy("side", name, F.col("name").isNull()))
    repeated = F.col("name").isNotNull() & (place != first)
    reason = F.when(repeated, LineFault.DUPLICATE_ID.value).otherwise(F.col("reason"))
    return rows.withColumns({"first": first, "reason": reason})


def _lines(spark: SparkSession, path: Path, side: int) -> DataFrame:
    return spark.read.text(path_of(path), lineSep="\n").select(
        F.lit(side).alias("side"),
        F.col("_metadata.file_block_start").alias("block"),
        F.col("value").cast("binary").alias("value"),
    )


def path_of(path: Path) -> str:
    """Give a local file's name as Spark takes it, for which some characters mean others."""
    return f"file://{path.absolute()}".translate(_GLOB)


@contextmanager
def damage_told(paths: Iterable[Path]) -> Iterator[None]:
    """Raise SourceError for what Spark says of a compressed file that is damaged."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        if not any(name in str(error) for name in _DAMAGED):
            raise
        compressed = ", ".join(str(path) for path in paths if path.suffix == GZIP_SUFFIX)
        raise SourceError(
            f"{compressed}: the compressed file is damaged or cut off; gzip -t says which"
        ) from error


def count_titles(titles: DataFrame) -> Mapping[str, tuple[int, int]]:
    """Count the titles of every category, left and right."""
    counts = [F.count_if(F.col("side") == side) for side in (LEFT, RIGHT)]
    rows = titles.groupBy("category").agg(*counts).collect()
    return {category: (left, right) for category, left, right in rows}


def refused_lines(rows: DataFrame) -> list[RefusedLine]:
    """Give the lines that hold no title, in order: spelt out here, for they should be few."""
    refused = rows.where("reason is not null").collect()
    if not refused:
        return []
    begin = _first_lines(rows.where("name is null and reason is null").collect())
    found = []
    for each in sorted(refused, key=lambda row: (row.side, row.block, row.row)):
        detail = each.detail
        if each.reason == LineFault.DUPLICATE_ID:
            first = begin[each.side, each.first.block] + each.first.row
            detail = f"line {first} has this id already"
        line = begin[each.side, each.block] + each.row
        found.append(RefusedLine(each.side, line, each.reason, detail))
    return found


def _first_lines(counts: Iterable[Row]) -> Mapping[tuple[int, int], int]:
    """Give the number of the first line of every block, by its side and where it begins."""
    begin: dict[tuple[int, int], int] = {}
    lines = {LEFT: 1, RIGHT: 1}
    for each in sorted(counts, key=lambda row: (row.side, row.block)):
        begin[each.side, each.block] = lines[each.side]
        lines[each.side] += each.row
    return begin
