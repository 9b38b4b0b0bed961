"""Matching titles: a skewed catalogue beside its even twin, and all pairs beside the index.

Two catalogues of 200 000 titles in 50 categories, one of which holds 40 %; its twin has as
many in categories of one size. Both are matched in this run, one after the other. Then a
sample of one category is scored pair by pair with plain numpy, dense and sparse, and the
matches are compared. All goals are ratios of what was measured here.

    python benchmarks/match.py [--titles N]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyspark.sql import SparkSession

from benchmarks.measuring import write
from benchmarks.titles import even, skewed, write_catalogues
from streaming.matching.title_index import Titles, TitleVocabulary, unpack
from streaming.matching.title_join import join
from streaming.matching.title_thresholds import TITLE_DEFAULTS
from streaming.matching.titles import Whole, score
from streaming.offline.match import Matched, MatchOptions, match_catalogues
from streaming.query.session import open_session
from streaming.settings import load
from streaming.text.settings import TextSettings
from streaming.text.title_words import TitleWords, is_figure

CATEGORIES = 50
SHARE = 0.4
CHECKED = 500
SAMPLE = 2_000
SPARSE_ROWS = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--titles", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    console = Console()
    results: dict[str, Any] = {"titles": arguments.titles}
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as name:
        directory = Path(name)
        settings = load(overrides=[("spark.local.dir", str(directory / "spark"), "")]).settings
        spark = open_session(settings)
        try:
            warm_up(spark, directory / "warm", arguments.seed)
            runs = {
                "skewed": skewed(arguments.titles, CATEGORIES, SHARE),
                "even": even(arguments.titles, CATEGORIES),
            }
            for kind, sizes in runs.items():
                results[kind] = one_run(spark, directory / kind, arguments.seed, sizes, console)
        finally:
            spark.stop()
        for unit in ("candidate", "scored"):
            for kind in ("busy", "wall"):
                key = f"{kind}_nanoseconds_per_{unit}"
                ratio = results["skewed"][key] / results["even"][key]
                results[f"skewed_to_even_{kind}_{unit}"] = ratio
        results["sample"] = against_all_pairs(directory / "skewed")
    say(console, results)
    write("match", results)
    return int(results["sample"]["differing"] > 0)


def warm_up(spark: SparkSession, directory: Path, seed: int) -> None:
    """Start workers and load dictionaries, so that neither run pays for it."""
    directory.mkdir()
    left, right = write_catalogues(directory, seed, even(2_000, 10))
    match_catalogues(spark, MatchOptions(left, right, "category"))


def one_run(
    spark: SparkSession, directory: Path, seed: int, sizes: list[int], console: Console
) -> dict[str, Any]:
    directory.mkdir()
    left, right = write_catalogues(directory, seed, sizes)
    begin = time.perf_counter()
    matched = match_catalogues(spark, MatchOptions(left, right, "category"))
    seconds = time.perf_counter() - begin
    report = matched.report
    console.print(f"\n{directory.name}, {seconds:.1f} s", *report.lines(), sep="\n  ", markup=False)
    busy = sum(task.busy for task in report.tasks)
    fields = report.fields()
    tasks = fields.pop("tasks")
    (directory / "matches.json").write_bytes(orjson.dumps(rows_of(matched)))
    return {
        **fields,
        "wall_seconds": seconds,
        "busy_seconds": [task["busy"] for task in tasks],
        "task_seconds": [task["seconds"] for task in tasks],
        "busy_nanoseconds_per_candidate": busy / report.candidates * 1e9,
        "wall_nanoseconds_per_candidate": seconds / report.candidates * 1e9,
        "busy_nanoseconds_per_scored": busy / report.scored * 1e9,
        "wall_nanoseconds_per_scored": seconds / report.scored * 1e9,
    }


def rows_of(matched: Matched) -> dict[str, tuple[str, int]]:
    columns = (matched.matches.column(n).to_pylist() for n in ("left", "right", "score"))
    return {left: (right, found) for left, right, found in zip(*columns, strict=True)}


def against_all_pairs(directory: Path) -> dict[str, Any]:
    """Compare the matches of some titles of the large category with scoring all their pairs.

    And the time of a pair by the index with that of scoring all pairs of a sample: all on
    one core, in this process.
    """
    names, coded, vocabulary = numbered_category(directory, "c0")
    ids = np.argsort(np.argsort(names[1], kind="stable"), kind="stable")
    some = titles_of(coded[0][:CHECKED], vocabulary)
    expected = {
        names[0][left]: [names[1][right], found]
        for left, (right, found) in all_pairs(
            some, titles_of(coded[1], vocabulary), ids, vocabulary
        ).items()
    }
    matches = orjson.loads((directory / "matches.json").read_bytes())
    found = {name: matches[name] for name in names[0][:CHECKED] if name in matches}
    left, right = (titles_of(side[:SAMPLE], vocabulary) for side in coded)
    weights = np.sqrt(unpack(vocabulary.packed)[0]).astype(np.float32)
    indexed = timed(lambda: join(left, right, ids[:SAMPLE], vocabulary, TITLE_DEFAULTS))
    dense = timed(lambda: dense_cosine(left, right, weights))
    sparse = timed(lambda: sparse_cosine(left, right, weights))
    return {
        "checked": CHECKED,
        "matches": len(expected),
        "differing": sum(found.get(n) != expected.get(n) for n in found.keys() | expected.keys()),
        "index_nanoseconds_per_pair": indexed / SAMPLE**2 * 1e9,
        "dense_nanoseconds_per_pair": dense / SAMPLE**2 * 1e9,
        "sparse_nanoseconds_per_pair": sparse / (SPARSE_ROWS * SAMPLE) * 1e9,
    }


def timed(work: Callable[[], Any]) -> float:
    """Give the best of three, in seconds of the processor: others use this machine, too."""
    spent = []
    for _ in range(3):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return min(spent)


def numbered_category(
    directory: Path, category: str
) -> tuple[list[list[str]], list[list[list[int]]], TitleVocabulary]:
    """Read the ids and the words, as numbers, of all titles of a category on both sides."""
    cutter, number = TitleWords(TextSettings()), dict[str, int]()
    names: list[list[str]] = [[], []]
    coded: list[list[list[int]]] = [[], []]
    for side, name in enumerate(("left.jsonl", "right.jsonl")):
        for line in (directory / name).open("rb"):
            row = orjson.loads(line)
            if row["category"] == category:
                words = cutter.words(row["title"])
                names[side].append(row["id"])
                coded[side].append([number.setdefault(word, len(number)) for word in words])
    having = np.bincount([word for side in coded for words in side for word in words])
    figures = np.array([is_figure(word) for word in number])
    total = np.array([len(names[0]) + len(names[1])])
    vocabulary = TitleVocabulary.of(np.zeros(len(number), np.int64), having, figures, total)
    return names, coded, vocabulary


def titles_of(coded: list[list[int]], vocabulary: TitleVocabulary) -> Titles:
    words = vocabulary.number[np.concatenate([np.array(each) for each in coded])]
    lengths = np.array([len(each) for each in coded])
    return Titles.of(np.zeros(len(coded), np.int64), lengths, words, vocabulary, TITLE_DEFAULTS)


def all_pairs(
    left: Titles, right: Titles, ids: Whole, vocabulary: TitleVocabulary
) -> dict[int, tuple[int, int]]:
    """Find the best match of each left title by scoring every pair, with no index."""
    table = right.rows(vocabulary)
    found = {}
    for number, place in enumerate(left.source.tolist()):
        words = left.words[left.offsets[number] : left.offsets[number + 1]]
        own = np.zeros(len(vocabulary.packed), np.int64)
        own[words] = vocabulary.packed[words]
        shared, figures = unpack(own[table].sum(axis=1))
        conflicts = (figures < left.figures[number]) & (figures < right.figures)
        scores = score(shared, left.norms[number], right.norms, conflicts)
        relations = TITLE_DEFAULTS.relations(scores, np.minimum(len(words), right.lengths))
        best = np.lexsort((ids[right.source], -scores, -relations.astype(int)))[0]
        if relations[best]:
            found[place] = (int(right.source[best]), int(scores[best]))
    return found


def dense_cosine(left: Titles, right: Titles, weights: Any) -> Any:
    """Score pairs as a product of dense matrices of unit vectors."""
    used = np.unique(np.concatenate([left.words, right.words]))
    a, b = (unit_rows(each, used, weights) for each in (left, right))
    return (a @ b.T).max(axis=1)


def unit_rows(titles: Titles, used: Whole, weights: Any) -> Any:
    rows = np.zeros((len(titles.norms), len(used)), np.float32)
    owners = np.repeat(np.arange(len(titles.norms)), titles.lengths)
    rows[owners, np.searchsorted(used, titles.words)] = weights[titles.words]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sparse_cosine(left: Titles, right: Titles, weights: Any) -> Any:
    """Score pairs by adding up lists of all words, one left title after the other."""
    owners = np.repeat(np.arange(len(right.norms)), right.lengths)
    order = np.argsort(right.words, kind="stable")
    lists = owners[order]
    starts = np.searchsorted(right.words[order], np.arange(len(weights) + 1))
    best = []
    for number in range(SPARSE_ROWS):
        words = left.words[left.offsets[number] : left.offsets[number + 1]]
        hits = np.concatenate([lists[starts[word] : starts[word + 1]] for word in words])
        sizes = starts[words + 1] - starts[words]
        dots = np.bincount(hits, np.repeat(weights[words] ** 2, sizes), len(right.norms))
        best.append((dots / np.sqrt(right.norms * left.norms[number])).max())
    return best


def say(console: Console, results: dict[str, Any]) -> None:
    sample, large = results["sample"], results["skewed"]
    whole = sum(large["busy_seconds"]) / large["pairs"] * 1e9
    dense, sparse = (sample[f"{kind}_nanoseconds_per_pair"] for kind in ("dense", "sparse"))
    own = sample["index_nanoseconds_per_pair"]
    console.print(
        "",
        *(
            f"time per {told}, skewed / even: {results[f'skewed_to_even_busy_{unit}']:.2f} in the"
            f" tasks, {results[f'skewed_to_even_wall_{unit}']:.2f} in all (goal: at most 1.5)"
            for unit, told in (("candidate", "entry of a list read"), ("scored", "pair scored"))
        ),
        *(
            f"slowest task / mean task, {kind}: {results[kind]['slowest_to_mean']:.2f} by the"
            f" clock, {results[kind]['busiest_to_mean']:.2f} by the processor (goal: at most 1.3)"
            for kind in ("skewed", "even")
        ),
        f"all pairs / index, {SAMPLE:,} x {SAMPLE:,} titles in this process: dense"
        f" {dense / own:,.0f}, sparse {sparse / own:,.1f}",
        f"all pairs, by the pair / tasks of the skewed run: dense {dense / whole:,.0f}, sparse"
        f" {sparse / whole:,.1f} (goal: at least 50)",
        f"matches that differ from those of all pairs: {sample['differing']} of"
        f" {sample['matches']:,}, of {sample['checked']:,} titles",
        sep="\n",
        markup=False,
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit(main())
