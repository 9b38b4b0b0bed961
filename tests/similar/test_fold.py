import dataclasses
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.position import timestamp_ms
from streaming.similar import fold, search
from streaming.similar.entries import Row
from streaming.similar.scoring import Ranking
from streaming.similar.view import Challenger, View
from tests.similar.scopes import Reference, logs, rankings, row, scattered
from tests.similar.test_view import check

RANKING = Ranking(window_ms=40 * 3_600_000, half_life_ms=30 * 3_600_000, size=8)
FEW = 1_800


def edited(rows: list[Row], token: int) -> list[Row]:
    """Give rows of the same articles in a later batch."""
    return [dataclasses.replace(each, token=token.to_bytes(8)) for each in rows]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have many segments, and merge them often."""
    monkeypatch.setattr(fold, "_CHUNK", 100)
    monkeypatch.setattr(fold, "_SEALED", 70)
    monkeypatch.setattr(fold, "_LARGEST", 900)
    hurry(monkeypatch)


def hurry(patch: pytest.MonkeyPatch, dense: float = 0.02) -> None:
    """Have bounds decide even among few, and chunks be small."""
    patch.setattr(search, "_PROBED", 1)
    patch.setattr(search, "_CHUNK", 1)
    patch.setattr(search, "_TOGETHER", 7)
    patch.setattr(search, "_DENSE", dense)


@given(ranking=rankings, data=st.data())
@settings(max_examples=40)
def test_segments_change_nothing(
    ranking: Ranking, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = data.draw(logs(ranking))
    reference = Reference(ranking)
    with pytest.MonkeyPatch.context() as patch:
        # Vectors are always multiplied together, now and then, or one by one.
        hurry(patch, data.draw(st.sampled_from([0, 0.02, 2])))
        patch.setattr(fold, "_CHUNK", 3)
        patch.setattr(fold, "_SEALED", data.draw(st.integers(1, 3)))
        patch.setattr(fold, "_LARGEST", data.draw(st.integers(1, 8)))
        directory = tmp_path_factory.mktemp("view")
        for start in range(0, len(rows), 10):
            with View(ranking, directory) as view:
                view.apply(rows[start : start + 10])
                reference.apply(rows[start : start + 10])
                check(view, reference)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("share", [0, 0.1, 0.7])
def test_a_view_of_many_blocks_says_what_brute_force_says(tmp_path: Path, share: float) -> None:
    ranking = Ranking(
        window_ms=RANKING.window_ms,
        half_life_ms=RANKING.half_life_ms,
        vector_weight=share,
        size=RANKING.size,
    )
    rows = scattered(FEW, 1, 100)
    reference = Reference(ranking)
    with View(ranking, tmp_path) as view:
        view.apply(rows)
        reference.apply(rows)
        assert len(view._fold.segments()) > 2
        some = [f"{number:05d}" for number in range(0, FEW, 31)]
        lists = view.best(some)
        assert lists == [reference.best(article) for article in some]
        ranked = [
            Row(article, (99).to_bytes(8), neighbours=found)
            for article, found in zip(some, lists, strict=True)
        ]
        view.apply(ranked)
        reference.apply(ranked)
        for article in some[::5]:
            stands, text = reference.articles()[article]
            until_ms = timestamp_ms(stands.first) + ranking.window_ms
            challenger = Challenger(article, text, stands.first, stands.published_ms, until_ms)
            assert view.challenged([challenger]) == reference.challenged([challenger])
        assert view.unranked(10) == reference.unranked()[:10]


@pytest.mark.usefixtures("small")
def test_edited_descriptions_leave_the_segments(tmp_path: Path) -> None:
    rows = scattered(600, 1, 10)
    with View(RANKING, tmp_path) as view:
        view.apply(rows)
        view.apply(edited(rows, 50))
        # The same contents again are the same descriptions.
        assert view._fold.progress.descriptions == 600
        for edit in range(5):
            view.apply(edited(scattered(600, 3, 11 + edit), 60 + edit))
        kept = sum(len(part.entries) for part in view._fold.segments())
        assert kept < view._fold.progress.keywords / 2


def test_memory_and_files_grow_with_articles_not_with_batches(tmp_path: Path) -> None:
    rows = scattered(300, 1, 10)
    with View(RANKING, tmp_path) as view:
        view.apply(rows)
        before = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
        for token in range(50, 62):
            view.apply(edited(rows, token))
            lists = view.best([r.article for r in rows])
            view.apply(
                Row(r.article, token.to_bytes(8), neighbours=found)
                for r, found in zip(rows, lists, strict=True)
            )
        after = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert {name: size for name, size in after.items() if name != "view.json"} == {
        name: size for name, size in before.items() if name != "view.json"
    }


def test_files_of_another_kind_are_discarded(tmp_path: Path) -> None:
    rows = scattered(50, 1, 10)
    other = Ranking(size=9)
    alien = tmp_path / "notes.txt"
    alien.write_text("not ours")
    with View(RANKING, tmp_path) as view:
        view.apply(rows)
    with View(RANKING, tmp_path) as view:
        assert view.reached == rows[-1].token
    with View(other, tmp_path) as view:
        assert view.reached == b""
        assert not view.rankable(rows[0].article)
        view.apply(rows[:5])
    progress = tmp_path / "view.json"
    fields = orjson.loads(progress.read_bytes())
    for key in ("layout", "boot"):
        changed = fields | {"made": fields["made"] | {key: "another"}}
        progress.write_bytes(orjson.dumps(changed))
        with View(other, tmp_path) as view:
            assert view.reached == b""
    progress.write_bytes(b"{")
    with View(other, tmp_path) as view:
        assert view.reached == b""
    assert alien.read_text() == "not ours"


CHILD = """
import os, sys, time
from pathlib import Path
from streaming.position import timestamp_ms
from streaming.similar import fold, search
from streaming.similar.scoring import Ranking
from streaming.similar.view import View
from tests.similar.test_fold import RANKING, story

fold._CHUNK, fold._SEALED, fold._LARGEST = 40, 30, 200
with View(RANKING, Path(sys.argv[1])) as view:
    rows = story()
    # As a reader does: by token from what was reached on, and those of that token again.
    rest = [each for each in rows if each.token >= view.reached]
    print("ready", flush=True)
    for start in range(0, len(rest), 60):
        view.apply(rest[start : start + 60])
print("done", flush=True)
"""


def story() -> list[Row]:
    """Give a log with edits, deletions and lists, in the order of its tokens."""
    draw = random.Random(5)
    rows = scattered(500, 1, 20)
    edits = scattered(500, 4, 21)
    later: list[Row] = []
    for token, each in enumerate(edits, 10):
        kind = draw.choice(["edit", "gone", "list", "list"])
        if kind == "edit":
            later += edited([each], token)
        elif kind == "gone":
            later.append(row(each.article, token))
        else:
            named = tuple((rows[draw.randrange(500)].article, 9 - n) for n in range(8))
            later.append(Row(each.article, token.to_bytes(8), neighbours=named))
    return rows + later


def test_whoever_is_killed_leaves_what_the_next_can_go_on_with(tmp_path: Path) -> None:
    draw = random.Random(3)
    reference = Reference(RANKING)
    reference.apply(story())
    killed, reached = 0, b""
    root = Path(__file__).parents[2]
    for attempt in itertools.count():
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            if attempt < 12:
                time.sleep(draw.random() * 0.03)
                child.send_signal(signal.SIGKILL)
            done = child.stdout.read() == b"done\n"
        killed += not done
        with View(RANKING, tmp_path) as view:
            assert view.reached >= reached
            reached = view.reached
            applied = Reference(RANKING)
            applied.apply(each for each in story() if each.token < reached)
            known = set(applied.rows)
            newer = {each.article for each in story() if each.token >= reached}
            for article in known - newer:
                assert view.standing(article) == applied.standing(article)
                assert view.neighbours(article) == applied.neighbours(article)
        if done:
            break
    assert killed > 2
    with View(RANKING, tmp_path) as view:
        assert view.unranked(1_000) == reference.unranked()
        articles = sorted(reference.articles())
        assert {each for each in reference.rows if view.rankable(each)} == set(articles)
        some = articles[::9]
        assert view.best(some) == [reference.best(article) for article in some]
        for article in reference.rows:
            assert view.neighbours(article) == reference.neighbours(article)


@pytest.mark.parametrize("step", ["_describe", "_judge"])
def test_rows_of_long_ago_are_read_again_if_applying_them_was_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    rows = scattered(300, 1, 10)
    early, rest = rows[:100], rows[100:]
    with View(RANKING, tmp_path) as view:
        view.apply(rest)

        def fail(*_: object) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            raise KeyboardInterrupt

        monkeypatch.setattr(fold.Fold, step, fail)
        with pytest.raises(KeyboardInterrupt):
            view.apply(early)
    monkeypatch.undo()
    with View(RANKING, tmp_path) as view:
        assert view.reached < early[0].token
        view.apply(rows)
        assert all(view.rankable(each.article) for each in rows)
