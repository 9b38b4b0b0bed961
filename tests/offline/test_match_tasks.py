"""The functions that Spark runs, and a shuffle by hand between them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

import numpy as np
import orjson
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from streaming.matching.title_thresholds import (
    TITLE_DEFAULTS,
    TitleRelation,
    TitleThresholds,
)
from streaming.offline.balance import Category, Cutting, Split, balance
from streaming.offline.match_report import TaskTally
from streaming.offline.match_tasks import LEFT, RIGHT, WORD, match_task, read_task, route_task
from streaming.text.settings import TextSettings
from tests.matching.titles import Title, TitleMatch, best_matches, catalogues, thresholds

CUTTINGS = st.builds(
    Cutting,
    st.floats(0.01, 2).map(lambda share: (share,)),
    least=st.just(0.0),
    most_right=st.integers(1, 12),
)
_INPUT = pa.schema(
    [
        ("category", pa.string()),
        ("kind", pa.int32()),
        ("name", pa.string()),
        ("words", pa.list_(pa.string())),
        ("having", pa.int64()),
        ("hash", pa.int64()),
    ]
)


def rows_of(left: Sequence[Title], right: Sequence[Title]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for kind, catalogue in ((LEFT, left), (RIGHT, right)):
        for title in catalogue:
            row = title._asdict() | {"kind": kind, "hash": crc32(title.name.encode())}
            rows.append(row)
    counts = Counter((t.category, word) for t in (*left, *right) for word in t.words)
    for (category, word), count in counts.items():
        rows.append({"category": category, "kind": WORD, "name": word, "having": count, "hash": 0})
    return rows


def plan(
    left: Sequence[Title], right: Sequence[Title], tasks: int, cutting: Cutting
) -> Mapping[str, Split]:
    sizes = [Counter(title.category for title in catalogue) for catalogue in (left, right)]
    names = sorted(sizes[0] | sizes[1])
    return balance([Category(n, sizes[0][n], sizes[1][n], 50.0) for n in names], tasks, cutting)


def shuffled(
    left: Sequence[Title], right: Sequence[Title], splits: Mapping[str, Split], batch: int
) -> Mapping[int, list[pa.RecordBatch]]:
    rows = rows_of(left, right)
    batches = [
        pa.RecordBatch.from_pylist(rows[at : at + batch], schema=_INPUT)
        for at in range(0, len(rows), batch)
    ]
    # Keys are not the tasks themselves: Spark chooses them.
    of_task = defaultdict(list)
    for routed in route_task(splits, np.arange(100) * 10)(batches):
        keys = routed.column("task").to_numpy()
        for key in np.unique(keys):
            of_task[int(key) // 10].append(routed.filter(pa.array(keys == key)))
    return of_task


def matched(
    of_task: Mapping[int, list[pa.RecordBatch]],
    left: Sequence[Title],
    right: Sequence[Title],
    limits: TitleThresholds,
) -> tuple[dict[str, TitleMatch], list[TaskTally]]:
    totals = Counter(title.category for title in (*left, *right))
    found: dict[str, TitleMatch] = {}
    tallies = []
    for batches in of_task.values():
        for batch in match_task(totals, limits)(batches):
            for row in batch.to_pylist():
                if row["tally"]:
                    tallies.append(TaskTally(**orjson.loads(row["tally"])))
                    continue
                match = TitleMatch(row["right"], row["score"], TitleRelation(row["relation"]))
                known = found.get(row["left"], match)
                found[row["left"]] = min(known, match, key=surest)
    return found, tallies


def surest(match: TitleMatch) -> tuple[int, int, str]:
    return -match.relation, -match.score, match.right


@given(catalogues(), thresholds(), st.integers(1, 5), CUTTINGS, st.integers(1, 50))
def test_the_matches_do_not_depend_on_how_work_was_cut(
    pair: tuple[list[Title], list[Title]],
    limits: TitleThresholds,
    tasks: int,
    cutting: Cutting,
    batch: int,
) -> None:
    left, right = pair
    splits = plan(left, right, tasks, cutting)
    of_task = shuffled(left, right, splits, batch)
    assert set(of_task) == {t for split in splits.values() for row in split.tasks for t in row}
    found, tallies = matched(of_task, left, right, limits)
    assert found == best_matches(left, right, limits)
    assert len(tallies) == len(of_task)


def test_every_piece_meets_every_other_once() -> None:
    left = [Title(f"l{n}", "", (f"w{n}", "x")) for n in range(40)]
    right = [Title(f"r{n}", "", (f"w{n}", "y")) for n in range(40)]
    split = Split(((0, 1, 2), (1, 2, 0)))
    of_task = shuffled(left, right, {"": split}, 1_000)
    met: Counter[tuple[str, str]] = Counter()
    holding: defaultdict[int, set[int]] = defaultdict(set)
    for task, batches in of_task.items():
        rows = [row for batch in batches for row in batch.to_pylist()]
        for part in range(3):
            names = [
                [row["name"] for row in rows if (row["part"], row["kind"]) == (part, kind)]
                for kind in (LEFT, RIGHT)
            ]
            met.update((a, b) for a in names[0] for b in names[1])
            if names[0]:
                holding[part].add(task)
    assert met == Counter((a.name, b.name) for a in left for b in right)
    assert holding == {0: {0, 1}, 1: {1, 2}, 2: {2, 0}}


def test_repeated_titles_are_compared_once_and_the_smallest_id_is_given() -> None:
    left = [Title(f"l{n}", "", ("w", "x")) for n in range(200)]
    right = [Title(f"r{n}", "", ("w", "x")) for n in range(299, 99, -1)]
    of_task = shuffled(left, right, {"": Split(((0,),))}, 50)
    found, (tally,) = matched(of_task, left, right, TITLE_DEFAULTS)
    assert found == {
        title.name: TitleMatch("r100", 1_000_000, TitleRelation.MATCH) for title in left
    }
    assert tally.scored == 1
    assert (tally.left, tally.right) == (200, 200)


def test_a_category_without_a_place_goes_nowhere() -> None:
    left = [Title("a", "p", ("x",)), Title("b", "q", ("x",))]
    of_task = shuffled(left, left[:1], {"p": Split(((3,),))}, 10)
    assert list(of_task) == [3]
    assert {row["category"] for b in of_task[3] for row in b.to_pylist()} == {"p"}


def test_a_task_without_rows_gives_none() -> None:
    assert list(match_task({}, TITLE_DEFAULTS)([])) == []


def lines(*blocks: tuple[int, int, list[bytes]]) -> Iterable[pa.RecordBatch]:
    for side, block, values in blocks:
        yield pa.RecordBatch.from_pydict(
            {
                "side": pa.array([side] * len(values), pa.int32()),
                "block": pa.array([block] * len(values), pa.int64()),
                "value": pa.array(values, pa.binary()),
            }
        )


def test_lines_are_numbered_within_their_block() -> None:
    task = read_task("by", TextSettings())
    good = b'{"id": "a", "by": "x", "title": "\xe6\x89\x8b\xe6\x9c\xba 14"}'
    batches = task(lines((0, 0, [good, b""]), (0, 0, [b"{", good]), (1, 70, [b'{"id": 1}'])))
    rows = [row for batch in batches for row in batch.to_pylist()]
    found = [(row["side"], row["block"], row["row"], row["name"], row["reason"]) for row in rows]
    assert found == [
        (0, 0, 0, "a", None),
        (0, 0, 2, None, "not_json"),
        (0, 0, 3, "a", None),
        (1, 70, 0, None, "no_title"),
        (0, 0, 4, None, None),
        (1, 70, 1, None, None),
    ]
    assert rows[0]["category"] == "x"
    assert rows[0]["words"] == ["14", "手机"]


def test_a_title_without_words_is_refused() -> None:
    task = read_task("by", TextSettings())
    rows = [
        row
        for batch in task(lines((0, 0, ['{"id": "a", "title": "——！"}'.encode()])))
        for row in batch.to_pylist()
    ]
    assert rows[0]["reason"] == "no_words"
