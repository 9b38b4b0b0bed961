"""Copies that arrive together: whoever looks before the other has written would miss it."""

import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from pyspark.sql import DataFrame, SparkSession

from streaming.engine import statistics
from streaming.engine.events import LoggedContent
from streaming.enrichment import Enricher
from streaming.errors import StoreError
from streaming.exporting import expected_verdicts, verdicts
from streaming.filelog import LogRecord
from streaming.matching.reference import reference
from streaming.query.batch import BatchProcessor
from streaming.query.run import prepare
from streaming.settings import Settings, load
from streaming.store.opening import open_index
from tests.newsfeed import Message, simulated

ARRANGEMENTS = 100
COLUMNS = (
    "topic STRING, partition INT, offset BIGINT, timestamp_ms BIGINT, key BINARY, value BINARY,"
    " headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)


def arrangement(rng: random.Random, pool: list[Message]) -> list[LogRecord]:
    """A batch of strangers with two copies of one text, anywhere in up to eight partitions."""
    chosen = rng.sample(pool, rng.randint(2, 8))
    original = orjson.loads(chosen[0].value)
    copy = orjson.dumps({**original, "article_id": "copy"})
    values = [(message.key, message.value) for message in chosen] + [(b"copy", copy)]
    rng.shuffle(values)
    partitions = rng.randint(2, 8)
    return [
        LogRecord("articles", rng.randrange(partitions), offset, rng.randrange(10), *value)
        for offset, value in enumerate(values)
    ]


def frame(spark: SparkSession, records: list[LogRecord], partitions: int) -> DataFrame:
    rows: list[Any] = [(*record[:6], []) for record in records]
    return spark.createDataFrame(rows, COLUMNS).repartition(partitions, "partition")


def test_two_copies_in_one_batch_are_found_wherever_they_stand(
    spark: SparkSession, tmp_path: Path
) -> None:
    rng = random.Random(11)
    pool = [m for m in simulated(400, seed=3) if len(m.value) > 1_500][:200]
    for number in range(ARRANGEMENTS):
        settings = load(
            overrides=[
                ("store.url", f"sqlite:{tmp_path}/{number}.db", "test"),
                ("query.tasks", str(rng.randint(2, 3)), "test"),
            ],
            environment={},
        ).settings
        prepare(settings)
        records = arrangement(rng, pool)
        BatchProcessor(settings)(frame(spark, records, rng.randint(1, 3)), number)
        found = {line["article_id"]: line for line in verdicts(open_index(settings))}
        assert found == must_be(records, settings), f"arrangement {number}"
        assert sum(line["duplicate_of"] is not None for line in found.values()) >= 1


_ENRICHER = Enricher(Settings())


def must_be(records: list[LogRecord], settings: Settings) -> dict[str, object]:
    answers = _ENRICHER.enrich(records)
    log = [(a.position, a.article, a.content) for a in answers if isinstance(a, LoggedContent)]
    return dict(expected_verdicts(reference(log, settings.matching.rules())))


def test_an_empty_batch_takes_no_token(spark: SparkSession, tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/empty.db"
    settings = load(overrides=[("store.url", store, "test")], environment={}).settings
    prepare(settings)
    BatchProcessor(settings)(frame(spark, [], 1), 0)
    assert list(open_index(settings).scan("batch")) == []


def test_a_batch_whose_rates_are_not_counted_is_done_again(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:{tmp_path}/rates.db"
    settings = load(overrides=[("store.url", store, "test")], environment={}).settings
    prepare(settings)
    records = arrangement(random.Random(1), list(simulated(20, seed=3)))

    def away(*_: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as failing:
        failing.setattr(statistics, "roll_up", away)
        with pytest.raises(StoreError, match="away"):
            BatchProcessor(settings)(frame(spark, records, 1), 0)
    assert list(open_index(settings).scan("batch")) == []
    BatchProcessor(settings)(frame(spark, records, 1), 0)
    counted = sum(each.articles for each in statistics.read(open_index(settings)))
    assert counted == len(must_be(records, settings))
