"""Publishing checks, stamps, paces and counts; the command says so."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from producers.cli import describe, produce
from producers.publish import Options, Pace, Publisher, Tally
from producers.records import Record
from producers.sources import Item
from streaming.errors import LeitongError, SettingsError, SourceError
from streaming.events import EventParser
from streaming.filelog import describe_log, read_records
from streaming.reasons import Reason, Rejected
from streaming.showing import Lines
from streaming.sinks import MemorySink


def item(number: int, **fields: object) -> Item:
    document = {"article_id": f"a-{number}", "channel": "体育", "body": "正文", **fields}
    return Item(f"x:{number}", Record(None, orjson.dumps(document), None))


BROKEN = Item("x:9", Record(None, b'{"article_id": "b"}', None))


class Bench:
    """A publisher with a memory sink, and what it called back."""

    def __init__(self, fail_at: int | None = None, **options: object) -> None:
        self.sink = MemorySink(fail_at)
        self.reported: list[tuple[str, Reason]] = []
        self.sent: list[str] = []
        self.stop = threading.Event()
        self.publisher = Publisher(
            self.sink,
            EventParser(),
            Options(**options),  # type: ignore[arg-type]
            stop=self.stop,
            on_invalid=self._invalid,
            on_sent=lambda sent: self.sent.append(sent.where),
        )

    def _invalid(self, item: Item, rejected: Rejected) -> None:
        self.reported.append((item.where, rejected.reason))

    def publish(self, items: Iterable[Item]) -> Tally:
        return self.publisher.publish(items)

    @property
    def stamps(self) -> list[int | None]:
        return [message.timestamp_ms for message in self.sink.messages]


def test_the_key_is_the_article_and_the_value_is_untouched() -> None:
    bench = Bench()
    tally = bench.publish([item(1), item(2, article_id=42, tags=["x"])])
    assert [message.key for message in bench.sink.messages] == [b"a-1", b"42"]
    assert bench.sink.messages[1].value == item(2, article_id=42, tags=["x"]).record.value  # type: ignore[union-attr]
    assert (tally.sent, tally.acknowledged, tally.interrupted) == (2, 2, False)
    assert tally.bytes == sum(len(message.value or b"") for message in bench.sink.messages)
    assert bench.stamps == [None, None]


def test_what_an_editor_says_goes_where_its_article_goes() -> None:
    bench = Bench()
    said = {"event": "not_duplicate", "article_id": "a-1", "other_id": "a-2", "by": "值班"}
    tally = bench.publish([Item("x:1", Record(None, orjson.dumps(said), None))])
    assert [message.key for message in bench.sink.messages] == [b"a-1"]
    assert (tally.sent, tally.invalid.total()) == (1, 0)


def test_cloud_events_are_checked_and_keyed_like_what_they_carry() -> None:
    attributes = {"specversion": "1.0", "id": "m", "source": "/cms", "type": "cms.deleted"}
    enclosed = orjson.dumps({**attributes, "subject": "a-1"})
    headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
    bench = Bench(invalid="skip")
    tally = bench.publish(
        [
            Item("x:1", Record(None, enclosed, None)),
            Item("x:2", Record(None, b'{"article_id": "a-2"}', None, headers)),
            Item("x:3", Record(None, b'{"article_id": "a-3"}', None)),
        ]
    )
    assert [message.key for message in bench.sink.messages] == [b"a-1", b"a-2"]
    assert [message.headers for message in bench.sink.messages] == [(), headers]
    assert bench.sink.messages[0].value == enclosed
    assert dict(tally.invalid) == {"schema": 1}


def test_an_invalid_article_stops_and_says_where_and_what_was_done() -> None:
    bench = Bench()
    with pytest.raises(SourceError) as raised:
        bench.publish([item(1), BROKEN, item(2)])
    assert str(raised.value).startswith("x:9: schema: channel: is required")
    assert "1 articles were published before that" in str(raised.value)
    assert bench.sink.acknowledged == 1
    assert bench.reported == [("x:9", Reason.SCHEMA)]


def test_invalid_articles_can_be_skipped() -> None:
    bench = Bench(invalid="skip")
    tally = bench.publish([item(1), BROKEN, item(2)])
    assert bench.sent == ["x:1", "x:2"]
    assert (tally.sent, tally.skipped, dict(tally.invalid)) == (2, 1, {"schema": 1})


def test_invalid_articles_can_be_sent() -> None:
    bench = Bench(invalid="send")
    tally = bench.publish([item(1), BROKEN])
    assert bench.sink.messages[1][:2] == (None, b'{"article_id": "b"}')
    assert (tally.sent, tally.skipped, tally.invalid.total()) == (2, 0, 1)


def test_without_validation_everything_is_sent_and_nothing_reported() -> None:
    bench = Bench(validate=False)
    tally = bench.publish([item(1), BROKEN])
    assert (tally.sent, bench.reported, tally.invalid.total()) == (2, [], 0)
    assert bench.sink.messages[0].key == b"a-1"


def test_what_has_no_record_cannot_be_sent() -> None:
    missing = Item("x:5", None, problem=Rejected(Reason.TOO_LARGE, "value: 9 bytes"))
    for invalid in ("send", "skip"):
        bench = Bench(invalid=invalid)
        tally = bench.publish([missing, item(1)])
        assert (tally.sent, tally.skipped, bench.reported) == (1, 1, [("x:5", Reason.TOO_LARGE)])


def test_items_that_mean_to_be_broken_are_sent_as_they_are() -> None:
    bench = Bench()
    tally = bench.publish(
        [
            Item("s:1", Record(b"k", b"\xff", 5), as_is=True),
            Item("s:2", Record(b"k", None, 6, (("h", b"1"),)), as_is=True),
            Item("s:3", Record(None, item(1).record.value, 7), as_is=True),  # type: ignore[union-attr]
        ]
    )
    assert [message[:3] for message in bench.sink.messages] == [
        (b"k", b"\xff", ()),
        (b"k", None, (("h", b"1"),)),
        (None, item(1).record.value, ()),  # type: ignore[union-attr]
    ]
    assert (tally.sent, tally.invalid.total()) == (3, 0)


def test_publication_times_become_timestamps_and_gaps_take_the_one_before() -> None:
    bench = Bench(timestamps="published")
    tally = bench.publish(
        [
            item(1),
            item(2, published_at="2023-10-20T03:38:00Z"),
            item(3),
            item(4, published_at="1960-01-01"),
            Item("s:5", Record(b"k", None, 77), as_is=True),
        ]
    )
    assert bench.stamps == [None, 1697773080000, 1697773080000, 0, 77]
    assert tally.undated == 2


def test_the_limit_counts_items() -> None:
    def endless() -> Iterator[Item]:
        number = 0
        while True:
            yield item(number)
            number += 1

    assert Bench(limit=3).publish(endless()).sent == 3
    assert Bench(limit=0).publish(endless()).sent == 0


def test_stopping_finishes_what_was_handed_over_and_counts_it() -> None:
    bench = Bench()

    def interrupted() -> Iterator[Item]:
        yield item(1)
        yield item(2)
        bench.stop.set()
        yield item(3)

    tally = bench.publish(interrupted())
    assert (tally.sent, tally.acknowledged, tally.interrupted) == (2, 2, True)


def test_stopping_does_not_wait_for_the_rate() -> None:
    bench = Bench(rate=0.001)
    threading.Timer(0.1, bench.stop.set).start()
    began = time.monotonic()
    tally = bench.publish([item(1), item(2)])
    assert time.monotonic() - began < 10
    assert (tally.sent, tally.interrupted) == (1, True)


def test_a_sink_that_fails_is_told_with_the_count() -> None:
    bench = Bench(fail_at=2)
    with pytest.raises(SourceError, match=r"message 2 was refused.*\n2 articles were"):
        bench.publish([item(1), item(2), item(3)])


class Time:
    """A clock that only moves when someone waits, or is late."""

    def __init__(self) -> None:
        self.now = 1000.0

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@given(st.floats(0.1, 10_000), st.lists(st.floats(0, 0.01), min_size=2, max_size=200))
def test_the_pace_is_never_faster_than_the_rate(rate: float, delays: list[float]) -> None:
    clock = Time()
    pace = Pace(rate, lambda: clock.now, clock.wait)
    steps = []
    for delay in delays:
        clock.now += delay
        pace.step()
        steps.append(clock.now)
    for first, begun in enumerate(steps):
        for last in range(first, len(steps)):
            within = steps[last] - begun
            assert last - first <= within * rate + 0.1 * rate + 1e-3


def test_the_pace_keeps_the_rate_on_average() -> None:
    clock = Time()
    pace = Pace(50, lambda: clock.now, clock.wait)
    for _ in range(501):
        clock.now += 0.005
        pace.step()
    assert clock.now - 1000.0 == pytest.approx(10.0, abs=0.1)


def test_the_pace_does_not_make_up_for_a_pause() -> None:
    clock = Time()
    pace = Pace(100, lambda: clock.now, clock.wait)
    pace.step()
    clock.now += 60
    resumed = clock.now
    for _ in range(110):
        pace.step()
    assert clock.now - resumed > 0.9


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_rates_that_are_none(rate: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Pace(rate)


def test_progress_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Time()
    with Lines(sys.stderr, describe, 10, lambda: clock.now) as lines:
        for _ in range(25):
            clock.now += 1
            lines.show(Tally(sent=5, bytes=2_000_000, seconds=2.0))
    assert capsys.readouterr().err == "5 articles, 2.0 MB, 2/s\n" * 2
    assert describe(Tally()) == "0 articles, 0.0 MB, 0/s"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(produce, arguments)


def articles(path: Path, count: int) -> Path:
    path.write_bytes(b"".join((item(i).record.value or b"") + b"\n" for i in range(count)))  # type: ignore[union-attr]
    return path


@pytest.mark.usefixtures("no_settings")
def test_the_command_publishes_a_file_to_a_file_log(tmp_path: Path) -> None:
    source = articles(tmp_path / "a.jsonl", 10)
    log = tmp_path / "log"
    for expected in (10, 20):
        result = run("--from", str(source), "--to", f"file:{log}")
        assert result.exit_code == 0, result.output
        assert result.stdout == ""
        assert f"published 10 articles (0.0 MB) to file:{log}" in result.stderr
        assert len(list(read_records(log))) == expected
    description = describe_log(log)
    assert description is not None
    assert description.partitions == 4


@pytest.mark.usefixtures("no_settings")
def test_the_command_resolves_channels_and_limits_as_the_query_does(tmp_path: Path) -> None:
    (tmp_path / "leitong.toml").write_text("[events]\nmax_bytes = 50\n", encoding="utf-8")
    source = articles(tmp_path / "a.jsonl", 1)
    result = run("--from", str(source), "--to", f"file:{tmp_path / 'log'}")
    assert isinstance(result.exception, SourceError)
    assert "too_large" in str(result.exception)


@pytest.mark.usefixtures("no_settings")
def test_the_command_lists_the_first_invalid_articles(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_bytes(b'{"id": 1}\n' * 30 + b'{"id": 2, "channel": "x", "body": "y"}\n')
    log = f"file:{tmp_path / 'log'}"
    result = run("--from", str(source), "--to", log, "--invalid", "skip")
    assert result.exit_code == 0
    assert result.stderr.count("a.jsonl:") == 20
    assert "counted, not listed" in result.stderr
    assert "30 invalid (schema 30), 30 skipped" in result.stderr


@pytest.mark.usefixtures("no_settings")
def test_the_command_writes_the_truth_of_what_was_sent(tmp_path: Path) -> None:
    log, truth = tmp_path / "log", tmp_path / "truth.jsonl"
    arguments = ("--from", "newsroom:3", "--to", f"file:{log}", "--truth", str(truth))
    result = run(*arguments, "--limit", "100", "--timestamps", "published", "--partitions", "2")
    assert result.exit_code == 0, result.output
    known = {orjson.loads(line)["article_id"] for line in truth.read_bytes().splitlines()}
    records = list(read_records(log))
    assert len(records) == 100
    sent = {record.key.decode() for record in records if record.key is not None}
    assert len(sent) > 50
    assert sent <= known
    assert all(record.timestamp_ms > 1_700_000_000_000 for record in records)


@pytest.mark.usefixtures("no_settings")
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--from", "newsroom:1", "--to", "file:log"), "--limit"),
        (("--from", "nowhere.jsonl", "--to", "file:log"), "no such file"),
        (("--from", "a.jsonl", "--to", "log"), "no scheme"),
        (("--from", "a.jsonl", "--to", "file:log", "--truth", "no/t"), "cannot be written"),
    ],
)
def test_what_cannot_work_is_said(tmp_path: Path, arguments: tuple[str, ...], hint: str) -> None:
    articles(tmp_path / "a.jsonl", 1)
    result = run(*arguments)
    assert isinstance(result.exception, SettingsError)
    assert isinstance(result.exception, LeitongError)
    assert hint in str(result.exception)


@pytest.mark.usefixtures("no_settings")
@pytest.mark.parametrize("rate", ["0", "-1/s", "fast", "1/fortnight", "inf"])
def test_rates_are_written_as_a_number_of_articles_per_time(rate: str) -> None:
    result = run("--from", "a.jsonl", "--to", "file:log", "--rate", rate)
    assert result.exit_code == 2
    assert "6000/min" in result.stderr


def test_ctrl_c_finishes_what_was_handed_over_and_reports_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "streaming", "produce"),
            *("--from", "newsroom:1", "--to", f"file:{log}", "--rate", "200/s"),
        ],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
    )
    try:
        for _ in range(600):
            if log.exists() and describe_log(log) and list(read_records(log)):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    written = len(list(read_records(log)))
    assert written > 0
    assert f"interrupted: published {written} articles" in errors
    assert "Traceback" not in errors
