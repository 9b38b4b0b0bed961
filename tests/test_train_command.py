"""``leitong train`` as a user meets it, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from streaming.similar.registry import Registry
from tests.indexed import told
from tests.offline import sentences
from tests.test_models_command import saved

LEITONG = (sys.executable, "-m", "streaming")
SMALL = (
    *("--least-articles", "40", "--dimensions", "12", "--iterations", "1"),
    *("--set", "spark.master=local[1]", "--set", "spark.driver.memory=1g"),
)


def test_a_version_is_trained_activated_and_reported(tmp_path: Path) -> None:
    rows = sentences.articles({"体育": 60, "财经": 30})
    hidden = "绝密文字不可外传"
    rows[0]["body"] += hidden
    sentences.write(tmp_path / "a.jsonl", rows)
    done = subprocess.run(
        [*LEITONG, "train", "--from", "a.jsonl", "--models", "models/", "--activate", *SMALL,
         "--half-life", "0", "--keywords", "textrank"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "articles    90 in 2 channels" in done.stdout
    assert re.search(r"version     v0001, checksum [0-9a-f]{12}\n", done.stdout)
    assert "report      models/v0001/report.html" in done.stdout
    assert "active      v0001" in done.stdout
    manifest = Registry(str(tmp_path / "models")).verify()
    assert manifest.keywords == "textrank"
    assert manifest.ranking.half_life_ms == 0
    assert manifest.source == {"kind": "files", "files": ["a.jsonl"], "articles": 90}
    assert manifest.settings["dimensions"] == 12
    page = (tmp_path / "models" / "v0001" / "report.html").read_text(encoding="utf-8")
    report = orjson.loads((tmp_path / "models" / "v0001" / "report.json").read_bytes())
    assert [model["channel"] for model in report["models"]] == [None, "体育"]
    said = page + str(report) + done.stdout + done.stderr
    assert sentences.TOPICS["体育"][0] in said
    assert hidden not in said

    python = saved(tmp_path / "channel_18_python.word2vec")
    done = subprocess.run(
        [*LEITONG, "models", "import", f"体育={python}", "--articles", "a.jsonl",
         "--models", "models/", "--set", "spark.master=local[1]"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    imported = Registry(str(tmp_path / "models")).verify("v0002")
    assert imported.source["imported"] == {"体育": "channel_18_python.word2vec"}
    assert imported.fallback.articles == 90
    assert imported.fallback.coverage == 0


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    sentences.write(tmp_path / "a.jsonl", sentences.articles({"体育": 3_000}))
    job = subprocess.Popen(
        [*LEITONG, "train", "--from", "a.jsonl", "--models", "models/", *SMALL,
         "--iterations", "400"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert job.stderr is not None
    try:
        for line in job.stderr:
            if line.startswith("learn"):
                break
        time.sleep(1)
        os.kill(job.pid, signal.SIGINT)
        _, said = job.communicate(timeout=120)
    finally:
        job.kill()
    assert job.returncode == 130
    assert said.splitlines()[-1] == ("leitong: stopped before it was done; nothing was written")
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing option '--from'"),
        (["--from", "a", "--from", "file:log"], "file:log: give one log, or one index, or files"),
        (["--from", "a", "--from", "SQLITE:b"], "SQLITE:b: give one log, or one index, or files"),
        (["--from", "a", "--from-time", "2026-01-01"], "are for --from a log"),
        (["--from", "hbase://h/x", "--to-offsets", "a"], "are for --from a log"),
        (["--from", "file:log", "--to-offsets", "a"], "no offsets in there"),
        (["--from", "file:log", "--generation", "k2"], "--generation is for --from an index"),
        (["--from", "none.jsonl"], "there is no such file"),
        (["--from", "a", "--models", "nosuch://x"], "cannot be opened"),
        (["--from", "a", "--vector-weight", "2"], "0<=x<=1"),
        (["--from", "kafka://127.0.0.1:1", "--to-time", "2026-01-01"], "names no topic"),
        (["--from", "kafka://127.0.0.1:1/articles"], "kafka://127.0.0.1:1/articles"),
        (["--from", "file:log", "--from-time", "soon"], "is no time"),
        (["--from", "file:log"], "no file log there"),
        (["--from", "sqlite:none.db"], "there is no index of generation"),
    ],
)
def test_what_is_wrong_is_told_before_spark_starts(
    no_settings: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (no_settings / "a").touch()
    code, _, err = told(capsys, "train", "--models", "models", *arguments)
    assert code in {1, 2}
    assert said in err
