"""How far a query is, as others read it."""

from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import CALL_COMMAND_NAME
from pyspark.sql import SparkSession

from streaming.figures import read_figures
from streaming.filelog import FileLogWriter
from streaming.logformat import end_offsets
from streaming.query import progress
from streaming.query.batch import BatchProcessor
from streaming.query.progress import ProgressPublisher
from streaming.query.run import prepare
from streaming.query.source import open_source
from streaming.settings import load
from streaming.store.opening import open_index
from tests.newsfeed import simulated


def test_lag_is_what_no_batch_has_read(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    with FileLogWriter(log, partitions=2, segment_records=5) as writer:
        for message in simulated(30):
            writer.append(message.key, message.value)
        writer.append(b"bad", b"{")
    assert sum(end_offsets(log).values()) == 31
    places = [
        ("query.source", f"file:{log}", "test"),
        ("store.url", f"sqlite:{tmp_path}/i.db", "test"),
    ]
    settings = load(overrides=places, environment={}).settings
    prepare(settings)
    store = open_index(settings)
    assert progress.read_progress(store) is None
    query = (
        open_source(spark, settings)
        .writeStream.foreachBatch(BatchProcessor(settings))
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    publisher = ProgressPublisher(store, settings)
    calls: list[str] = []
    client: Any = spark.sparkContext._gateway._gateway_client  # type: ignore[union-attr]
    ask = client.send_command

    def counted(command: str, **options: object) -> object:
        # What Python forgets is told to Java whenever a collector runs; that is no question.
        if command.startswith(CALL_COMMAND_NAME):
            calls.append(command)
        return ask(command, **options)

    monkeypatch.setattr(client, "send_command", counted)
    publisher.publish(query)
    # It is asked several times a second, and what Java has to look up for a call takes it long.
    assert 0 < len(calls) < 10
    told = progress.read_progress(store)
    assert told is not None
    assert (told["lag_records"], told["source"]) == (0, f"file:{log}")
    ends = {str(partition): end for partition, end in end_offsets(log).items()}
    assert progress.read_offsets(store) == ends
    figures = list(read_figures(store))
    assert sum(each["events"] for each in figures) == 30
    assert [each["refused"] for each in figures if each["refused"]] == [{"not_json": 1}]
    assert figures[0]["seconds"].keys() == {"enrich", "put", "judge", "rank", "report"}
    progress.publish_offsets(store, {"0": 1})
    assert progress.read_offsets(store) == ends
    with FileLogWriter(log) as writer:
        writer.append(b"late", b"{}")
    ProgressPublisher(store, settings).publish(query)
    told = progress.read_progress(store)
    assert told is not None
    assert told["lag_records"] == 1
