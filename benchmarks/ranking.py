"""Lists of similar articles: ours, and the vector searches of others, in one run.

A channel of 200 000 articles is folded into a view; then everybody answers the same batch,
one after the other, several times over, each on one core. Ours is asked for whole lists, by
keywords and vectors; the others (faiss, hnswlib, a product of matrices) search in vectors
alone, which is less to do, and have their recall told. Then a million vectors are cut into
cells as training does it, and a view that ranks by vectors alone says what it finds in those
it looks into. Last, Spark's own joins for similar rows, on few articles and for a limited
time.

    python benchmarks/ranking.py [--articles N] [--vectors N] [--joined N] [--join-seconds S]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faiss
import hnswlib
import numpy as np
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyspark.ml.feature import BucketedRandomProjectionLSH, MinHashLSH
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

from benchmarks.measuring import REPETITIONS, on_one_core, spread, versions, write
from benchmarks.ranked import (
    DIMENSIONS,
    START_MS,
    TOPICS,
    WORDS,
    Channel,
    make_cells,
    make_channel,
    name,
    vectors_in_topics,
)
from streaming.offline.train_cells import MOST_HELD_OUT, cell_count, choose_probes
from streaming.position import encode
from streaming.query.session import open_session
from streaming.settings import load
from streaming.similar import building
from streaming.similar.description import Description, rounded
from streaming.similar.entries import Row, Standing
from streaming.similar.scoring import Ranking
from streaming.similar.view import View

BATCHES = (1, 200, 1_000)
K = 10
CELLS = 256
PROBES = 24
ASKED = 200
PEERS = ("faiss-cpu", "hnswlib", "numpy", "pyspark")

Answer = Callable[[int], Any]


def main() -> int:
    on_one_core()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=int, default=200_000)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--joined", type=int, default=1_990)
    parser.add_argument("--join-seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    console = Console(highlight=False, markup=False)
    results: dict[str, Any] = {
        "versions": versions(*PEERS),
        "articles": arguments.articles,
        "batches": BATCHES,
        "repetitions": REPETITIONS,
    }
    channel = make_channel(arguments.articles, arguments.seed)
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as directory:
        results["view"], view = fold(channel, Path(directory))
        contestants = {"lists by keywords and vectors": lists_of(view, len(channel.words))}
        contestants |= vector_searches(channel.vectors, results)
        results["searches"] = compare(contestants, channel.vectors, console)
        view.close()
    if arguments.vectors:
        draw = np.random.default_rng(arguments.seed)
        centres = draw.normal(size=(TOPICS, DIMENSIONS))
        results["cells"] = cells(vectors_in_topics(centres, arguments.vectors, draw))
        console.print(json.dumps(results["cells"], indent=1))
    if arguments.joined:
        results["joins"] = joins(channel, arguments.joined, arguments.join_seconds)
        console.print(json.dumps(results["joins"], indent=1))
    console.print(json.dumps({key: results[key] for key in ("versions", "view")}))
    write("ranking", results)
    return 0


def fold(channel: Channel, directory: Path) -> tuple[dict[str, Any], View]:
    rows = list(channel.rows())
    view, begin, spent = View(Ranking(), directory), time.perf_counter(), time.process_time()
    view.apply(rows)
    told = {
        "catch_up_seconds": time.perf_counter() - begin,
        "catch_up_processor_seconds": time.process_time() - spent,
        "bytes_per_article": sum(f.stat().st_blocks for f in directory.iterdir()) * 512 / len(rows),
    }
    view.close()
    begin = time.perf_counter()
    view = View(Ranking(), directory)
    return {**told, "open_seconds": time.perf_counter() - begin}, view


def lists_of(view: View, count: int) -> Answer:
    return lambda batch: view.best([name(number) for number in range(count - batch, count)])


def vector_searches(vectors: Any, results: dict[str, Any]) -> dict[str, Answer]:
    """Give the searches in vectors: functions of how many of the last to search for."""
    floats = vectors.astype(np.float32) / 4_000
    built: dict[str, float] = {}
    results["build_seconds"] = built

    def asked(batch: int) -> Any:
        return floats[len(floats) - batch :]

    faiss.omp_set_num_threads(1)
    dimensions = vectors.shape[1]
    flat = faiss.IndexFlatIP(dimensions)
    flat.add(floats)
    begin = time.perf_counter()
    inverted = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(dimensions), dimensions, CELLS, faiss.METRIC_INNER_PRODUCT
    )
    inverted.train(floats[:: max(1, len(floats) // (100 * CELLS))])
    inverted.add(floats)
    inverted.nprobe = PROBES
    built["faiss IVF"] = time.perf_counter() - begin
    begin = time.perf_counter()
    graph = hnswlib.Index(space="ip", dim=dimensions)
    graph.init_index(max_elements=len(floats), ef_construction=100, M=16)
    graph.set_num_threads(os.cpu_count() or 1)
    graph.add_items(floats)
    graph.set_num_threads(1)
    graph.set_ef(100)
    built["hnswlib"] = time.perf_counter() - begin
    return {
        "product of matrices": lambda n: nearest(floats, asked(n)),
        "faiss flat": lambda n: flat.search(asked(n), K)[1],
        "faiss IVF": lambda n: inverted.search(asked(n), K)[1],
        "hnswlib": lambda n: graph.knn_query(asked(n), k=K)[0],
    }


def nearest(floats: Any, asked: Any) -> Any:
    best = []
    for start in range(0, len(asked), 64):
        found = asked[start : start + 64] @ floats.T
        best.append(np.argpartition(found, -K, axis=1)[:, -K:])
    return np.concatenate(best)


def cells(vectors: Any) -> dict[str, Any]:
    """Cut vectors into cells, and tell what a view that looks into some of them finds."""
    count, dimensions = vectors.shape
    centres = rounded(make_cells(vectors, cell_count(count), 1))
    plain = building.vocabulary(["x"], [1], np.ones((1, dimensions), np.float32))
    tables = building.recut(building.tables(plain, building.frequencies({}, 1)), centres)
    held_out = vectors[:: count // MOST_HELD_OUT]
    chosen = choose_probes(tables, vectors[1::2], held_out)
    asked = range(count - ASKED, count)
    nothing = np.zeros(0, np.uint64), np.zeros(0, np.int16)

    def rows() -> Iterator[Row]:
        for start in range(0, count, 10_000):
            order = tables.cell_order(vectors[start : start + 10_000])[:, : chosen.count]
            for number, own in enumerate(order.tolist(), start):
                at = encode(START_MS + number, "articles", 0, number)
                description = Description(vectors[number], *nothing, tuple(own))
                standing = Standing(at, at, START_MS + number, name(number))
                yield Row(
                    name(number), b"1", judged=True, standing=standing, described=(at, description)
                )

    with View(Ranking(vector_weight=1, size=K)) as view:
        view.apply(rows())
        begin = time.perf_counter()
        found = view.best([name(number) for number in asked])
        seconds = time.perf_counter() - begin
    floats = vectors.astype(np.float32)
    shared = 0
    for number, listed in zip(asked, found, strict=True):
        best = nearest(floats[:number], floats[number : number + 1])[0]
        shared += len({name(other) for other in best.tolist()} & {other for other, _ in listed})
    return {
        "vectors": count,
        "cells": len(centres),
        "looked into": chosen.count,
        "recall when chosen": chosen.recall,
        "recall": shared / (K * ASKED),
        "per_second": ASKED / seconds,
    }


def compare(contestants: dict[str, Answer], vectors: Any, console: Console) -> dict[str, Any]:
    """Let everybody answer in turn, and tell articles per second, by clock and by processor."""
    told: dict[str, Any] = {who: {} for who in contestants}
    floats = vectors.astype(np.float32)
    exact = nearest(floats, floats[-ASKED:])
    for batch in BATCHES:
        clock: dict[str, list[float]] = {who: [] for who in contestants}
        processor: dict[str, list[float]] = {who: [] for who in contestants}
        for repetition in range(REPETITIONS + 1):
            for who, answer in contestants.items():
                begin, spent = time.perf_counter(), time.process_time()
                found = answer(batch)
                seconds = time.perf_counter() - begin, time.process_time() - spent
                if repetition:  # the first one warms up
                    clock[who].append(batch / seconds[0])
                    processor[who].append(batch / seconds[1])
                elif batch >= len(exact) and isinstance(found, np.ndarray):
                    some = found[len(found) - len(exact) :]
                    shared = sum(
                        len(set(one.tolist()) & set(other.tolist()))
                        for one, other in zip(some, exact, strict=True)
                    )
                    told[who]["recall"] = shared / exact.size
        for who in contestants:
            told[who][f"batches of {batch}"] = {
                "per_second": spread(clock[who]),
                "per_processor_second": spread(processor[who]),
            }
            median = told[who][f"batches of {batch}"]["per_processor_second"]["median"]
            console.print(
                f"{who}, batches of {batch:,}: {median:,.0f} articles per second of a core"
                f" ({min(processor[who]):,.0f}-{max(processor[who]):,.0f}),"
                f" {statistics.median(clock[who]):,.0f} by the clock,"
                f" recall {told[who].get('recall', '-')}"
            )
    return told


def joins(channel: Channel, count: int, limit: float) -> dict[str, Any]:
    """Time Spark's joins of the same articles, beside the lists of all of them by a view."""
    some = Channel(
        channel.words[:count], channel.weights[:count], channel.vectors[:count], channel.hashes
    )
    begin = time.perf_counter()
    view = View(Ranking())
    view.apply(some.rows())
    view.best([name(number) for number in range(count)])
    told: dict[str, Any] = {"articles": count, "view_seconds": time.perf_counter() - begin}
    settings = load().settings
    spark = open_session(settings)
    try:
        dense = [
            (number, Vectors.dense((some.vectors[number] / 4_000.0).tolist()))
            for number in range(count)
        ]
        sparse = [
            (number, Vectors.sparse(WORDS, np.unique(some.words[number]).tolist(), [1.0] * n))
            for number in range(count)
            for n in [len(np.unique(some.words[number]))]
        ]
        projection = BucketedRandomProjectionLSH(
            inputCol="features", outputCol="hashes", bucketLength=10.0, numHashTables=4, seed=1
        )
        minhash = MinHashLSH(inputCol="features", outputCol="hashes", numHashTables=5, seed=1)
        told["projection_seconds"] = joined(spark, projection, dense, 1.0, limit)
        told["minhash_seconds"] = joined(spark, minhash, sparse, 0.8, limit)
    finally:
        spark.stop()
    told["limit_seconds"] = limit
    return told


def joined(
    spark: SparkSession, estimator: Any, rows: list[Any], threshold: float, limit: float
) -> float | str:
    frame = spark.createDataFrame(rows, ["id", "features"]).repartition(os.cpu_count() or 1).cache()
    frame.count()
    model = estimator.fit(frame)
    spark.sparkContext.setJobGroup("join", "approxSimilarityJoin", interruptOnCancel=True)
    stop = threading.Timer(limit, spark.sparkContext.cancelJobGroup, ["join"])
    stop.start()
    begin = time.perf_counter()
    try:
        model.approxSimilarityJoin(frame, frame, threshold, distCol="distance").count()
    except Exception as error:  # noqa: BLE001 - whatever a cancelled job ends with
        if time.perf_counter() - begin < limit:
            return f"failed: {type(error).__name__}"
        return f"not done after {limit:.0f} seconds"
    finally:
        stop.cancel()
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
