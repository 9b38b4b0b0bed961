"""``leitong dead-letters`` over SQLite and a file log, as a user meets it."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming import deadletters
from streaming.cli import main
from streaming.deadletters import DeadLetter
from streaming.enrichment import STAGE, Enricher, position_of
from streaming.filelog import FileLogWriter, LogRecord, partition_of, read_records
from streaming.reasons import Rejected
from streaming.settings import Settings, load
from streaming.store.opening import open_index
from streaming.store.tables import TABLES
from tests.engine.worlds import batch, event

TEXT = "机密正文"
GOOD = orjson.dumps({"article_id": "good", "channel": "go", "body": TEXT * 40})
Sent = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]
# Under the settings of the first run all of these are refused, under the default ones the
# first two are not.
REFUSED: tuple[Sent, ...] = (
    (b"good", GOOD, (("trace", b"1"), ("trace", b"2"), ("trace", b"1"), ("null", None))),
    (None, GOOD, ()),
    (b"bad", b'{"body": "' + TEXT.encode(), ()),
    (b"bytes", b"\xff\x00\x1b[2J" + bytes(600), ()),
    (None, None, (("h", b"1"),)),
    (b"moved", orjson.dumps({"event": "moved", "article_id": "x", "body": "\x1b[31m"}), ()),
)
STRICT = ("events.max_bytes", "200", "test")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        main(["dead-letters", *arguments])
        code = 0
    except SystemExit as ending:
        code = int(ending.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def write_letters(records: Iterable[LogRecord], settings: Settings) -> None:
    """Do what the query does with what it refuses."""
    store = open_index(settings)
    store.ensure_tables(TABLES)
    known = list(records)
    answers = Enricher(settings).enrich(known)
    deadletters.write(
        store,
        (
            DeadLetter(position_of(record), STAGE, answer.reason, answer.detail, *record[4:])
            for record, answer in zip(known, answers, strict=True)
            if isinstance(answer, Rejected)
        ),
    )


@pytest.fixture
def log(no_settings: Path) -> Path:
    """A log in the working directory of whose records SQLite has those that were refused."""
    directory = no_settings / "log"
    with FileLogWriter(directory, partitions=3) as writer:
        fine = b'{"article_id": "fine", "channel": "go", "body": "ok"}'
        writer.append(b"fine", fine, (), 1_767_571_199_999)
        for number, (key, value, headers) in enumerate(REFUSED):
            writer.append(key, value, headers, 1_767_571_200_000 + number)
    write_letters(read_records(directory), load(overrides=[STRICT], environment={}).settings)
    return directory


def letters() -> list[deadletters.Entry]:
    return list(deadletters.entries(open_index(Settings())))


def replayed(log: Path) -> list[LogRecord]:
    """What the log holds beyond what it held at first."""
    return sorted(
        (record for record in read_records(log) if record.timestamp_ms > 1_767_571_300_000),
        key=lambda record: (record.partition, record.offset),
    )


@pytest.mark.usefixtures("log")
def test_a_list_has_a_line_each_newest_last_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "list")
    assert code == 0
    *lines, total = out.splitlines()
    assert [line.split("  ")[2] for line in lines] == [
        "too_large", "too_large", "not_json", "too_large", "no_value", "unknown_event",
    ]  # fmt: skip
    assert re.fullmatch(
        r"articles/\d/\d  2026-01-05T00:00:00\.004Z  no_value  enrich  value: .*"
        r"  null  not replayed",
        lines[4],
    )
    assert total == "6 dead letters: 3 too_large, 1 not_json, 1 no_value, 1 unknown_event"
    assert TEXT not in out
    assert "\x1b" not in out


@pytest.mark.usefixtures("log")
def test_a_list_can_be_short_and_of_some_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    everything = told(capsys, "list")[1].splitlines()
    _, out, _ = told(capsys, "list", "--limit", "2")
    assert out.splitlines() == [*everything[4:6], everything[6]]
    _, out, _ = told(capsys, "list", "--reason", "no_value", "--reason", "not_json")
    assert out.splitlines() == [
        everything[2],
        everything[4],
        "2 dead letters: 1 not_json, 1 no_value",
    ]
    assert told(capsys, "list", "--reason", "schema")[1] == "0 dead letters\n"
    assert told(capsys, "list", "--reason", "absurd")[0] == 2


@pytest.mark.usefixtures("log")
def test_a_list_for_programs_is_json_lines_alone(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = told(capsys, "list", "--json", "--limit", "3")
    rows: list[dict[str, Any]] = [orjson.loads(line) for line in out.splitlines()]
    assert [row["reason"] for row in rows] == ["too_large", "no_value", "unknown_event"]
    assert [row["size"] for row in rows] == [606, None, len(REFUSED[5][1] or b"")]
    assert all(row["replayed"] is None for row in rows)
    assert err.startswith("6 dead letters: ")
    assert TEXT not in out


def place_of(number: int) -> str:
    return letters()[number].letter.place


@pytest.mark.usefixtures("log")
def test_a_letter_is_shown_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "show", place_of(0))
    assert "reason     too_large" in out
    assert (
        "header     trace: 1\nheader     trace: 2\nheader     trace: 1\nheader     null: null"
        in out
    )
    assert TEXT * 40 in out
    _, out, _ = told(capsys, "show", place_of(3).removeprefix("articles/"))
    assert "00000000  ff 00 1b 5b 32 4a" in out
    assert "94 bytes more" in out
    _, out, _ = told(capsys, "show", place_of(5))
    assert '"body":"\\u001b[31m"' in out
    assert "value      null" in told(capsys, "show", place_of(4))[1]


@pytest.mark.usefixtures("log")
def test_the_bytes_of_a_letter_can_be_had_untouched(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    for number, (_, value, _) in enumerate(REFUSED):
        main(["dead-letters", "show", place_of(number), "--raw"])
        assert capsysbinary.readouterr().out == (value or b"")


@pytest.mark.usefixtures("log")
def test_a_place_without_letter_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for place, said in (("articles/0/99", "no dead letter"), ("99", "is no place")):
        code, _, err = told(capsys, "show", place)
        assert code == 1
        assert said in err
        assert "Traceback" not in err


def test_a_replay_sends_what_is_good_now_and_only_once(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(capsys, "replay", "--dry-run")
    assert code == 0
    assert out == (
        "2 dead letters would be sent to file:log\n"
        "4 still refused (1 not_json, 1 not_utf8, 1 no_value, 1 unknown_event): not sent;"
        " --even-refused sends them\n"
    )
    assert replayed(log) == []

    began = int(time.time() * 1000)
    code, out, _ = told(capsys, "replay")
    assert code == 0
    assert out.startswith("2 dead letters sent to file:log\n4 still refused")
    sent = {record.key: record for record in replayed(log)}
    assert sent.keys() == {b"good", None}
    for key, value, headers in REFUSED[:2]:
        assert (sent[key].value, sent[key].headers) == (value, headers)
        assert sent[key].timestamp_ms >= began
        assert sent[key].topic == "articles"
    assert sent[b"good"].partition == partition_of(b"good", 3)
    marks = [entry.replayed for entry in letters()]
    assert [mark is not None for mark in marks] == [True, True, False, False, False, False]
    assert marks[0] is not None
    assert (marks[0].to, marks[0].at_ms >= began) == ("file:log", True)

    _, out, _ = told(capsys, "replay")
    assert out.startswith("0 dead letters sent to file:log\n2 skipped: sent before; --again")
    assert len(replayed(log)) == 2
    _, out, _ = told(capsys, "replay", "--again", "--reason", "too_large")
    assert out.startswith("2 dead letters sent to file:log\n1 still refused (1 not_utf8)")
    assert len(replayed(log)) == 4
    listed = told(capsys, "list")[1].splitlines()
    assert re.search(r" bytes  replayed 20\d\d-\S+Z to file:log$", listed[0])


def test_what_is_refused_can_be_sent_all_the_same_with_every_byte(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = told(capsys, "replay", "--even-refused")
    assert out.splitlines()[0] == "6 dead letters sent to file:log"
    assert "4 still refused" in out
    assert "sent all the same" in out
    sent = [record[4:] for record in replayed(log)]
    assert sorted(sent, key=repr) == sorted(REFUSED, key=repr)


def test_a_letter_whose_article_went_on_stays(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch(open_index(Settings()), [event("good", 1_767_571_300_000)])
    _, out, _ = told(capsys, "replay", "--reason", "too_large")
    assert out.startswith(
        "0 dead letters sent to file:log\n2 skipped: their article has a later event; --even-"
    )
    _, out, _ = told(capsys, "replay", "--reason", "too_large", "--even-overtaken")
    assert out.startswith("2 dead letters sent")
    assert len(replayed(log)) == 2


def test_a_letter_can_keep_its_time(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "replay", "--timestamps", "own")
    stamps = [record.timestamp_ms for record in read_records(log) if record.value == GOOD]
    assert sorted(stamps) == [1_767_571_200_000] * 2 + [1_767_571_200_001] * 2


def test_letters_of_another_topic_need_a_target(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = LogRecord("elsewhere", 0, 0, 5, b"k", GOOD)
    write_letters([record], load(overrides=[STRICT], environment={}).settings)
    _, out, _ = told(capsys, "replay", "--reason", "too_large")
    assert out.splitlines()[:2] == [
        "2 dead letters sent to file:log",
        "1 skipped: of another topic than the source; --to sends them",
    ]
    _, out, _ = told(capsys, "replay", "--to", "file:log", "--reason", "too_large")
    assert out.startswith("1 dead letters sent to file:log\n2 skipped: sent before")
    assert [record.key for record in replayed(log)].count(b"k") == 1
    code, _, err = told(capsys, "show", "0/0")
    assert code == 1
    assert "write one of articles/0/0, elsewhere/0/0" in err


@pytest.mark.usefixtures("log")
def test_a_target_that_is_not_there_is_not_made(
    no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = told(capsys, "replay", "--to", "file:lgo")
    assert code == 1
    assert "no file log there" in err
    assert not (no_settings / "lgo").exists()
    code, _, err = told(capsys, "replay", "--to", "kafka://127.0.0.1:1/articles")
    assert code == 1
    assert "no broker can be reached" in err
    assert not any(entry.replayed for entry in letters())


def test_a_log_that_somebody_writes_is_left_alone(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FileLogWriter(log):
        code, _, err = told(capsys, "replay")
    assert code == 1
    assert "another producer" in err
    assert not any(entry.replayed for entry in letters())


@pytest.mark.usefixtures("no_settings")
def test_without_an_index_every_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    FileLogWriter("log").close()
    for command in (("list",), ("show", "0/0"), ("replay",)):
        code, _, err = told(capsys, *command)
        assert code == 1
        assert "there is no index" in err


def test_ctrl_c_ends_a_replay_cleanly_and_the_rest_is_sent_later(
    log: Path, no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Long texts: what is left after the first chunk takes longer than noticing it.
    value = orjson.dumps({"article_id": "long", "channel": "go", "body": TEXT * 2_000})
    records = [
        LogRecord("articles", 0, 1_000 + number, 1_000 + number, str(number).encode(), value)
        for number in range(1_000)
    ]
    write_letters(records, load(overrides=[STRICT], environment={}).settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "streaming", "dead-letters", "replay"],
        cwd=no_settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not replayed(log):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, err) == (130, "")
    assert out.startswith("interrupted: ")
    first = len(replayed(log))
    assert f"interrupted: {first:,} dead letters sent to file:log" in out
    assert sum(entry.replayed is not None for entry in letters()) == first
    assert told(capsys, "replay")[0] == 0
    assert 0 < first < 1_002
    assert len(replayed(log)) == 1_002
