"""``leitong match`` as a user meets it, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from streaming.cli import main

LEITONG = (sys.executable, "-m", "streaming")
ONE_CORE = ("--set", "spark.master=local[1]", "--tasks", "1")


def catalogues(directory: Path, copies: int = 1) -> None:
    left = [
        {"id": "s17", "title": "苹果 iPhone14Pro 手机 黑色", "category": "phone"},
        {"id": "s18", "title": "权力的游戏 第3季", "category": "show"},
        {"id": "s19", "title": "华为 无线 充电 耳机", "category": "phone"},
    ]
    right = [
        {"id": "k4", "title": "苹果手机 iPhone 14 Pro 黑色", "category": "phone"},
        {"id": "k5", "title": "苹果手机 iPhone 15 Pro 黑色", "category": "phone"},
        {"id": "k6", "title": "权力的游戏 第4季", "category": "show"},
        {"id": "k7", "title": "华为 无线 耳机 白色", "category": "phone"},
        {"id": "k7", "title": "华为"},
    ]
    for name, rows in (("shop.jsonl", left), ("supplier.jsonl", right)):
        lines = [
            orjson.dumps(row | {"id": f"{row['id']}{'' if copy == 0 else copy}"})
            for copy in range(copies)
            for row in rows
        ]
        (directory / name).write_bytes(b"\n".join(lines))


def lines_of(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_the_matches_the_rejects_and_the_report_are_written(tmp_path: Path) -> None:
    catalogues(tmp_path)
    done = subprocess.run(
        [*LEITONG, "match", "shop.jsonl", "supplier.jsonl", "--by", "category", *ONE_CORE,
         "--to", "matches.jsonl", "--report", "report.json", "--doubtful"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    matches = lines_of(tmp_path / "matches.jsonl")
    assert matches[0] == {"left": "s17", "right": "k4", "score": 1.0, "relation": "match"}
    assert [(each["left"], each["right"]) for each in matches] == [("s17", "k4"), ("s19", "k7")]
    assert matches[1]["relation"] == "doubtful"
    assert lines_of(tmp_path / "matches.jsonl.rejects") == [
        {
            "file": "supplier.jsonl",
            "line": 5,
            "reason": "duplicate_id",
            "detail": "line 4 has this id already",
        }
    ]
    (report,) = lines_of(tmp_path / "report.json")
    assert report["left"] == 3
    assert report["matches"] == {"match": 1, "probable": 0, "doubtful": 1}
    assert "titles      3 left, 4 right; 1 lines refused (duplicate_id 1)" in done.stdout
    assert "2 lines in matches.jsonl" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob(".*.partial"))


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    catalogues(tmp_path, copies=60_000)
    with subprocess.Popen(
        [*LEITONG, "match", "shop.jsonl", "supplier.jsonl", *ONE_CORE, "--to", "matches.jsonl"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stderr is not None
        assert any(re.search(r", \d+ s$", told) for told in running.stderr)
        # To Spark and its workers as well, as terminals do.
        os.killpg(running.pid, signal.SIGINT)
        begin = time.monotonic()
        rest = running.stderr.read()
        assert running.wait(120) == 130
    assert time.monotonic() - begin < 60
    assert "leitong: stopped before it was done; nothing was written" in rest
    assert "Traceback" not in rest
    assert not [path for path in tmp_path.iterdir() if "matches" in path.name]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("shop.jsonl", "absent.jsonl", "--to", "m.jsonl"), "there is no such file"),
        (("shop.jsonl", "supplier.jsonl"), "--to"),
        (("shop.jsonl", "supplier.jsonl", "--to", "shop.jsonl"), "name another file"),
        (("shop.jsonl", "supplier.jsonl", "--to", "down/../shop.jsonl"), "name another file"),
        (("shop.jsonl", "supplier.jsonl", "--to", "m", "--report", "m"), "name another file"),
        (
            ("shop.jsonl", "supplier.jsonl", "--to", "t.json", "--thresholds", "t.json"),
            "name another file",
        ),
        (("shop.jsonl", "supplier.jsonl", "--to", "no/m.jsonl"), "make it first"),
        (("shop.jsonl", "supplier.jsonl", "--to", "/proc/m.jsonl"), "cannot be written"),
        (
            ("shop.jsonl", "supplier.jsonl", "--to", "m.jsonl", "--thresholds", "shop.jsonl"),
            "shop.jsonl: thresholds: ",
        ),
        (("shop.jsonl", "supplier.jsonl", "--to", "m.jsonl", "--tasks", "0"), "--tasks"),
    ],
)
def test_a_mistake_is_told_before_spark_starts(
    no_settings: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    catalogues(no_settings)
    (no_settings / "down").mkdir()
    before = sorted(no_settings.iterdir())
    with pytest.raises(SystemExit) as ending:
        main(["match", *arguments])
    assert ending.value.code in (1, 2)
    told = capsys.readouterr().err
    assert expected in told
    assert "Traceback" not in told
    assert sorted(no_settings.iterdir()) == before
