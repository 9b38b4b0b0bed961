"""What the matching of titles runs on the executors, as functions over Arrow batches.

Each takes what it needs as plain values, because it travels to the workers.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from streaming.matching.title_thresholds import TitleThresholds
from streaming.matching.titles import Whole
from streaming.offline.balance import Split
from streaming.offline.catalogues import LineFault, Refused, TitleLine, read_line
from streaming.offline.numbering import TitleColumns, WordColumns, join_columns
from streaming.query.shipping import tables_at_hand
from streaming.text.settings import TextSettings
from streaming.text.title_words import TitleWords

LEFT, RIGHT, WORD = 0, 1, 2
"""Kinds of rows that go to a task: titles of either catalogue, and words with their counts."""

READ = (
    "side INT, name STRING, category STRING, words ARRAY<STRING>, block BIGINT, row BIGINT,"
    " reason STRING, detail STRING"
)
"""A title; or, with a ``reason``, a line that holds none; or, with neither, how many lines a
block of the file has, in ``row``. A row's place is its block and the line in it, from 0."""

ROUTED = (
    "task BIGINT, category STRING, part INT, kind INT, name STRING, words ARRAY<STRING>,"
    " having BIGINT"
)
MATCHED = "left STRING, right STRING, score INT, relation INT, tally STRING"
"""The best match of a left title in a piece; or, with a ``tally``, what the task did."""

Task = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]

_READ = pa.schema(
    [
        ("side", pa.int32()),
        ("name", pa.string()),
        ("category", pa.string()),
        ("words", pa.list_(pa.string())),
        ("block", pa.int64()),
        ("row", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
_MATCHED = pa.schema(
    [
        ("left", pa.string()),
        ("right", pa.string()),
        ("score", pa.int32()),
        ("relation", pa.int32()),
        ("tally", pa.string()),
    ]
)


def read_task(by: str, settings: TextSettings) -> Task:
    """Lines (``side, block, value``) in the order of their file to `READ`."""
    encoded = settings.model_dump_json()

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        cutter = _cutter(encoded)
        lines: Counter[tuple[int, int]] = Counter()
        for batch in batches:
            rows = []
            columns = (batch.column(name).to_pylist() for name in ("side", "block", "value"))
            for side, block, value in zip(*columns, strict=True):
                row = lines[side, block]
                lines[side, block] += 1
                found = _read(cutter, read_line(value, by))
                if found:
                    rows.append({"side": side, "block": block, "row": row} | found)
            yield pa.RecordBatch.from_pylist(rows, schema=_READ)
        ends = [{"side": s, "block": block, "row": count} for (s, block), count in lines.items()]
        yield pa.RecordBatch.from_pylist(ends, schema=_READ)

    return run


def route_task(splits: Mapping[str, Split], keys: Whole) -> Task:
    """Titles and words (``category, kind, name, words, having, hash``) to `ROUTED`.

    ``keys`` has the key that Spark's partitioner sends to each task.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows, tasks, parts = _places(batch, splits)
            taken = batch.take(pa.array(rows))
            columns = {name: taken.column(name) for name in taken.schema.names}
            columns |= {"task": pa.array(keys[tasks]), "part": pa.array(parts, pa.int32())}
            yield pa.RecordBatch.from_pydict({name: columns[name] for name in _names(ROUTED)})

    return run


def match_task(titles: Mapping[str, int], thresholds: TitleThresholds) -> Task:
    """`ROUTED` rows of one task to `MATCHED`.

    ``titles`` says how many titles of both catalogues each category has.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        begin, busy = time.perf_counter(), time.process_time()
        table = pa.Table.from_batches(batches) if (batches := list(batches)) else None
        if table is None or not table.num_rows:
            return
        spaces, totals = _spaces(table, titles)
        kinds = table.column("kind").to_numpy()
        at = [np.flatnonzero(kinds == kind) for kind in (LEFT, RIGHT, WORD)]
        left, right, words = (table.take(pa.array(rows)).combine_chunks() for rows in at)
        names = _column(right, "name")
        best = join_columns(
            TitleColumns(spaces[at[LEFT]], _column(left, "words")),
            TitleColumns(spaces[at[RIGHT]], _column(right, "words")),
            _ranks(names),
            WordColumns(
                spaces[at[WORD]], _column(words, "name"), words.column("having").to_numpy()
            ),
            totals,
            thresholds,
        )
        found = pa.RecordBatch.from_pydict(
            {
                "left": _column(left, "name").take(pa.array(best.left)),
                "right": names.take(pa.array(best.right)),
                "score": pa.array(best.scores, pa.int32()),
                "relation": pa.array(best.relations, pa.int32()),
                "tally": pa.nulls(len(best.left), pa.string()),
            },
            schema=_MATCHED,
        )
        tally = {
            "left": len(at[LEFT]),
            "right": len(at[RIGHT]),
            "words": len(at[WORD]),
            "candidates": best.candidates,
            "scored": best.scored,
            "seconds": time.perf_counter() - begin,
            "busy": time.process_time() - busy,
        }
        yield found
        row = {"tally": orjson.dumps(tally).decode()}
        yield pa.RecordBatch.from_pylist([row], schema=_MATCHED)

    return run


@lru_cache(maxsize=1)
def _cutter(settings: str) -> TitleWords:
    """Keep the dictionaries in the worker."""
    return TitleWords(tables_at_hand(TextSettings.model_validate_json(settings)))


def _read(cutter: TitleWords, line: TitleLine | Refused | None) -> dict[str, Any] | None:
    if isinstance(line, TitleLine):
        words = cutter.words(line.title)
        if words:
            return {"name": line.name, "category": line.category, "words": words}
        line = Refused(LineFault.NO_WORDS, "title has no letter and no digit")
    return {"reason": line.reason, "detail": line.detail} if line else None


def _places(batch: pa.RecordBatch, splits: Mapping[str, Split]) -> tuple[Whole, Whole, Whole]:
    """Give rows of a batch, some more than once, with the task and right piece of each."""
    encoded = batch.column("category").dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    kinds, hashes = batch.column("kind").to_numpy(), batch.column("hash").to_numpy()
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(encoded.dictionary) + 1))
    found: list[tuple[Whole, Whole, Whole]] = []
    for code, category in enumerate(encoded.dictionary.to_pylist()):
        split = splits.get(category)
        if split is None:
            continue
        rows = order[ends[code] : ends[code + 1]]
        tasks = np.array(split.tasks)
        lefts = rows[kinds[rows] == LEFT]
        pieces = hashes[lefts] % split.left_pieces
        rights = rows[kinds[rows] == RIGHT]
        own = hashes[rights] % split.right_pieces
        words = rows[kinds[rows] == WORD]
        for part in range(split.right_pieces):
            found.append(_row_places(lefts, tasks[pieces, part], part))
            needed = np.concatenate([rights[own == part], words])
            found += [
                _row_places(needed, np.full(len(needed), task), part)
                for task in split.tasks_of_right(part)
            ]
    if not found:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, nothing
    rows, tasks, parts = (np.concatenate(each) for each in zip(*found, strict=True))
    return rows, tasks, parts


def _row_places(rows: Whole, tasks: Whole, part: int) -> tuple[Whole, Whole, Whole]:
    return rows, tasks, np.full(len(rows), part)


def _spaces(table: pa.Table, titles: Mapping[str, int]) -> tuple[Whole, Whole]:
    """Number what is joined by itself, a category or a piece of it, and give its titles."""
    encoded = table.column("category").combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    parts = table.column("part").to_numpy().astype(np.int64)
    most = int(parts.max()) + 1
    found, spaces = np.unique(codes * most + parts, return_inverse=True)
    known = np.array([titles[name] for name in encoded.dictionary.to_pylist()], np.int64)
    return spaces.astype(np.int64), known[found // most]


def _ranks(names: pa.Array) -> Whole:
    ranks = np.empty(len(names), np.int64)
    ranks[pc.sort_indices(names).to_numpy()] = np.arange(len(names))
    return ranks


def _column(table: pa.Table, name: str) -> Any:
    column = table.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _names(schema: str) -> list[str]:
    return [field.split()[0] for field in schema.split(", ")]
