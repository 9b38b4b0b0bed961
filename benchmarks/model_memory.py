"""What the models of similar articles cost a host in memory, by the number of its workers.

Makes a version of 25 models with 200 000 words of 100 dimensions each, lets worker processes
describe articles of every channel under it, and reads from the kernel what each of them
costs: its PSS, in which a page that n processes share counts as 1/n. Once the models are
mapped, as the query does it, and once every worker loads a copy of its own.

    python benchmarks/model_memory.py [--models 25] [--words 200000] [--workers 4] [--json FILE]
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streaming.similar import building, manifest
from streaming.similar.building import Learned, Version, Vocabulary
from streaming.similar.models import ChannelWords, Handle, Models, open_models
from streaming.similar.scoring import Ranking
from streaming.similar.tables import FILES

MEBIBYTE = 1 << 20
WORDS_OF_ARTICLE = 300


def word(number: int) -> str:
    return f"词{number:x}"


def make(directory: Path, models: int, words: int, dimensions: int) -> Models:
    """Write a version: every channel has vectors of its own in files of its own."""
    known = [word(number) for number in range(words)]
    draw = np.random.default_rng(1)
    block = draw.standard_normal((words, dimensions), np.float32)
    first = building.vocabulary(known, [1] * words, block)
    having = {each: 1 + number % 5_000 for number, each in enumerate(known)}
    idf = building.frequencies(having, 20_000)

    def learned(channel: str | None, turn: int) -> Learned:
        vocabulary: Vocabulary = replace(first, vectors=np.roll(first.vectors, turn, axis=0))
        return Learned(channel, building.tables(vocabulary, idf), vocabulary)

    # The fallback is one of them: none more.
    made = (learned(str(turn) if turn else None, turn) for turn in range(models))
    finish = building.write_version(directory, (), list(made), Version(Ranking()))
    (directory / manifest.NAME).write_bytes(finish("v0001").encode())
    return Models.open(directory)


def articles(models: int, words: int, each: int, seed: int) -> list[ChannelWords]:
    draw = random.Random(seed)
    return [
        (
            str(channel),
            [word(draw.randrange(words)) for _ in range(8)],
            [word(draw.randrange(words)) for _ in range(WORDS_OF_ARTICLE)],
        )
        for channel in range(models)
        for _ in range(each)
    ]


def memory() -> dict[str, float]:
    """What this process costs, in MiB."""
    with Path("/proc/self/smaps_rollup").open(encoding="utf-8") as lines:
        fields = dict(line.split(":", 1) for line in list(lines)[1:])
    return {
        name: int(fields[name].split()[0]) / 1024 for name in ("Rss", "Pss", "Pss_Anon", "Pss_File")
    }


def copied(models: Models) -> None:
    """Replace what is mapped by copies, as a worker has them that reads or unpickles models."""
    for model in models.manifest.models:
        tables = models.mapped(model)
        arrays: dict[str, Any] = {
            name: np.array(getattr(tables, name)) for name in (f[:-4] for f in FILES)
        }
        models._tables[model.name] = replace(tables, **arrays)  # noqa: SLF001 - to measure it


def work(
    handle: Handle, sizes: tuple[int, int, int], seed: int, kind: str, together: Barrier,
    answers: Any,
) -> None:  # fmt: skip
    found = open_models(handle)
    if kind == "private":
        copied(found)
    before = time.process_time()
    described = 0
    for start in range(sizes[2]):
        batch = articles(sizes[0], sizes[1], 1, seed * 1_000_003 + start)
        described += len(found.describe(batch))
    busy = time.process_time() - before
    # Hashes that a worker remembers are a cost of its own, bounded, and part of this.
    together.wait()
    cost = memory()
    together.wait()
    answers.put(cost | {"articles": described, "seconds": busy})


def measure(handle: Handle, sizes: tuple[int, int, int], workers: int, kind: str) -> Any:
    context = multiprocessing.get_context("spawn")
    together, answers = context.Barrier(workers), context.Queue()
    started = [
        context.Process(target=work, args=(handle, sizes, seed, kind, together, answers))
        for seed in range(workers)
    ]
    for process in started:
        process.start()
    found = [answers.get(timeout=3_000) for _ in started]
    for process in started:
        process.join()
    return found


def show(name: str, found: Sequence[dict[str, float]]) -> None:
    total = sum(each["Pss"] for each in found)
    mean = {key: sum(each[key] for each in found) / len(found) for key in found[0]}
    print(
        f"{name:28} {len(found):7} {mean['Pss']:12,.0f} {mean['Pss_Anon']:12,.0f}"
        f" {mean['Pss_File']:12,.0f} {total:12,.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=int, default=25)
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--dimensions", type=int, default=100)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--private-workers", type=int, default=2)
    parser.add_argument("--articles", type=int, default=1_000, help="per channel and worker")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    sizes = (arguments.models, arguments.words, arguments.articles)
    with tempfile.TemporaryDirectory(prefix="leitong-memory-") as scratch:
        models = make(Path(scratch), arguments.models, arguments.words, arguments.dimensions)
        size = sum(file.stat().st_size for file in Path(scratch).rglob("*.npy")) / MEBIBYTE
        print(f"{arguments.models} models of {arguments.words:,} words, {size:,.0f} MiB of tables")
        print(
            f"{'MiB':28} {'workers':>7} {'PSS each':>12} {'own':>12} {'of files':>12}"
            f" {'PSS of all':>12}"
        )
        runs = []
        for workers in arguments.workers:
            found = measure(models.handle, sizes, workers, "mapped")
            show("mapped", found)
            runs.append({"kind": "mapped", "workers": found})
        if arguments.private_workers:
            found = measure(models.handle, sizes, arguments.private_workers, "private")
            show("a copy in every worker", found)
            runs.append({"kind": "private", "workers": found})
    document = {
        "models": arguments.models,
        "words": arguments.words,
        "dimensions": arguments.dimensions,
        "articles_per_channel": arguments.articles,
        "tables_mib": size,
        "runs": runs,
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    else:
        print(json.dumps(document))


if __name__ == "__main__":
    main()
