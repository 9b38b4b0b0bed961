"""What models are trained on: files of articles, a part of a log, or the texts of an index.

All give the same: for every article that is live, its current content, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from streaming.errors import SettingsError
from streaming.offline import train_tasks
from streaming.offline.catalogues import check_catalogue
from streaming.offline.match_input import path_of
from streaming.query.source import WHOLE, Span, check_source, read_source
from streaming.settings import Settings
from streaming.store.opening import open_index, resolved
from streaming.store.tables import TABLES
from streaming.store.urls import absolute_url
from streaming.times import write_time

_SALTS = 256
_MEMORY = "memory:"


@dataclass(frozen=True, slots=True)
class Files:
    """JSON Lines files of articles or article events; a later line is a later event."""

    paths: tuple[Path, ...]
    normalised = False

    def check(self, _settings: Settings) -> None:
        """Raise SettingsError or SourceError for a file that cannot be read."""
        for path in self.paths:
            check_catalogue(path)

    def contents(self, spark: SparkSession, settings: Settings) -> DataFrame:
        """Give rows of `train_tasks.CONTENTS`; SettingsError or SourceError for a bad file."""
        self.check(settings)
        frames = [
            spark.read.text(path_of(path), lineSep="\n").select(
                F.lit(number).alias("file"),
                F.col("_metadata.file_block_start").alias("block"),
                F.col("value").cast("binary").alias("value"),
            )
            for number, path in enumerate(self.paths)
        ]
        lines = frames[0]
        for frame in frames[1:]:
            lines = lines.union(frame)
        return lines.mapInArrow(train_tasks.lines_task(settings), train_tasks.CONTENTS)

    def told(self, _settings: Settings) -> dict[str, Any]:
        """Say for the manifest what was read."""
        return {"kind": "files", "files": [path.name for path in self.paths]}


@dataclass(frozen=True, slots=True)
class Log:
    """A part of the configured log (``query.source``)."""

    span: Span = WHOLE
    normalised = False

    def check(self, settings: Settings) -> None:
        """Raise SourceError if there is no such log."""
        check_source(settings)

    def contents(self, spark: SparkSession, settings: Settings) -> DataFrame:
        """Give rows of `train_tasks.CONTENTS`; SourceError if there is no such log."""
        self.check(settings)
        records = read_source(spark, settings, self.span)
        return records.mapInArrow(train_tasks.records_task(settings), train_tasks.CONTENTS)

    def told(self, settings: Settings) -> dict[str, Any]:
        """Say for the manifest what was read."""
        span = self.span
        offsets = {"from_offsets": span.from_offsets, "to_offsets": span.to_offsets}
        times = {"from_time": span.from_ms, "to_time": span.to_ms}
        return {
            "kind": "log",
            "log": settings.query.source,
            **{name: _named(end) for name, end in offsets.items() if end is not None},
            **{name: write_time(end) for name, end in times.items() if end is not None},
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """The current texts of an index (``store.url``), as they are kept: normalised."""

    normalised = True

    def check(self, settings: Settings) -> None:
        """Raise SettingsError if nobody made this index, or the workers cannot see it."""
        settings = _absolute(settings)
        url = settings.store.url
        if url.startswith(_MEMORY):
            raise SettingsError(f"{url}: the workers cannot see it; name an index on disk or HBase")
        missing = open_index(settings).missing_tables(TABLES)
        if missing:
            raise SettingsError(
                f"{url}: there is no index of generation {settings.store.generation}"
                f" (no table {missing[0]}); leitong run makes one"
            )

    def contents(self, spark: SparkSession, settings: Settings) -> DataFrame:
        """Give rows of `train_tasks.CONTENTS`; SettingsError if nobody made this index."""
        self.check(settings)
        tasks = min(_SALTS, 4 * spark.sparkContext.defaultParallelism)
        salts = spark.range(0, _SALTS, 1, tasks)
        return salts.mapInArrow(train_tasks.stored_task(_absolute(settings)), train_tasks.CONTENTS)

    def told(self, settings: Settings) -> dict[str, Any]:
        """Say for the manifest what was read."""
        settings = resolved(settings)
        return {"kind": "store", "generation": settings.store.generation}


Source = Files | Log | Stored


def current(contents: DataFrame) -> DataFrame:
    """Give the content (``article, channel, title, body``) of every article that is live."""
    said = F.struct("live", "channel", "title", "body")
    last = contents.where("reason is null").groupBy("article")
    folded = last.agg(F.max_by(said, "position").alias("said")).select("article", "said.*")
    return folded.where("live").drop("live")


def refused(contents: DataFrame) -> dict[str, int]:
    """Count the records that are no event, by reason."""
    rows = contents.where("reason is not null").groupBy("reason").count().collect()
    return dict(sorted(((row[0], row[1]) for row in rows), key=lambda each: (-each[1], each[0])))


def _named(offsets: Mapping[int, int]) -> dict[str, int]:
    """Give offsets as JSON has them."""
    return {str(partition): offset for partition, offset in offsets.items()}


def _absolute(settings: Settings) -> Settings:
    settings = resolved(settings)
    store = settings.store.model_copy(update={"url": absolute_url(settings.store.url)})
    return settings.model_copy(update={"store": store})
