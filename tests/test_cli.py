"""The command line as a user meets it."""

import re
import tomllib
from pathlib import Path

import orjson
import pytest

from streaming.cli import main
from streaming.settings import Settings, load
from streaming.stamping import stamp
from streaming.store import ownership
from streaming.store.opening import open_index

COMMANDS = (
    "calibrate", "check", "config", "dashboard", "dead-letters", "demo", "doctor", "evaluate",
    "explain", "export", "generations", "match", "models", "pack", "plan", "prepare", "produce",
    "replay", "run", "similar", "stack", "store", "topics", "train", "webhook",
)  # fmt: skip


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        main(list(arguments))
        code = 0
    except SystemExit as ending:
        code = int(ending.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = told(capsys, command, "--help")
    assert code == 0
    assert len(out.splitlines()) > 4
    assert "\\b" not in out, "an example is folded into a paragraph"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "--help")
    assert tuple(re.findall(r"^  ([a-z][\w-]*)  ", out, re.MULTILINE)) == COMMANDS


def test_config_show_is_a_settings_file(
    no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(capsys, "config", "show", "--set", "matching.window=3d")
    assert code == 0
    assert 'window = "3d"  # --set' in out
    (no_settings / "copy.toml").write_text(out)
    assert (
        load(no_settings / "copy.toml", environment={}).settings
        == load(overrides=[("matching.window", "3d", "test")], environment={}).settings
    )
    assert tomllib.loads(out)["channels"]["4"] == "c++"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("run", "--set", "query.sauce=x"), "did you mean query.source?"),
        (("run", "--source", "file:absent", "--store", "sqlite:x.db"), "no file log there"),
        (("run", "--store", "memory:x"), "a memory store lives in one process"),
        (("run", "--store", "redis://x"), "redis"),
        (("export", "verdicts", "--store", "sqlite:new.db"), "there is no index"),
        (("replay", "--source", "file:log"), "say one of --from-beginning"),
        (("replay", "--from-time", "noon"), "is no time"),
    ],
)
def test_a_mistake_is_one_sentence_and_no_trace(
    no_settings: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    code, _, err = told(capsys, *arguments)
    assert code != 0
    assert expected in err
    assert "Traceback" not in err
    assert no_settings.exists()


def test_store_init_makes_the_tables_once(
    no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "15 tables created, 15 in all" in told(capsys, "store", "init")[1]
    assert "0 tables created, 15 in all" in told(capsys, "store", "init")[1]
    assert (no_settings / "leitong.db").exists()


def test_an_empty_index_exports_no_lines(
    no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "store", "init")
    code, out, _ = told(capsys, "export", "verdicts")
    assert (code, out) == (0, "")
    code, _, err = told(capsys, "export", "articles", "--to", "articles.jsonl")
    assert (code, (no_settings / "articles.jsonl").read_bytes()) == (0, b"")
    assert "0 lines" in err


def test_doctor_finds_what_is_wrong_and_says_what_to_do(
    no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(capsys, "doctor")
    assert code == 1
    findings = dict(re.findall(r"^(?:ok  |BAD ) (\w+)\s+(.*)$", out, re.MULTILINE))
    assert "leitong produce" in findings["source"]
    assert "leitong store init" in findings["tables"]
    assert out.count("BAD") == 2

    told(capsys, "store", "init")
    told(capsys, "produce", "--from", "newsroom:1", "--limit", "3", "--to", "file:log")
    ownership.claim(open_index(Settings()), {**stamp(Settings()), "matching.k": 1})
    code, out, _ = told(capsys, "doctor")
    assert code == 1
    assert out.count("BAD") == 1
    assert "matching.k: 1 in the index, 3 now" in out
    assert no_settings.exists()


def test_the_stamp_is_complete_and_can_be_stored() -> None:
    frozen = stamp(Settings())
    assert orjson.loads(orjson.dumps(frozen)) == frozen
    for name in ("layout", "matching.k", "matching.window", "text.jieba", "text.idf", "channels"):
        assert name in frozen
    assert stamp(load(overrides=[("matching.k", "2", "")], environment={}).settings) != frozen
