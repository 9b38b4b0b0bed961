"""Rules on numbers, and who is told when they begin and cease to hold."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming.alerts import Numbers, Rule, alerts, by_rule
from streaming.dashboard.app import Dashboard
from streaming.dashboard.telling import NotTold, teller
from streaming.engine.statistics import Outcome
from streaming.engine.summaries import HOUR, Sums
from streaming.errors import SettingsError
from streaming.filelog import read_records
from streaming.query.run import prepare
from streaming.store.opening import open_index
from tests.dashboard.asking import settings_of
from tests.engine.worlds import batch, deletion, event


def sums(articles: int, repeats: int, channel: str = "go", source: str = "agency") -> Sums:
    total = Sums()
    total.count(Outcome(channel, source, "duplicate", "simhash", 0), repeats)
    total.count(Outcome(channel, source, None, None, None), articles - repeats)
    return total


def figures(events: int, **refused: int) -> dict[str, Any]:
    return {"events": events, "refused": refused}


@pytest.mark.parametrize(
    ("numbers", "rules"),
    [
        (Numbers(), []),
        (Numbers(window=sums(50, 45)), [Rule.WIPED_OUT, Rule.WIPED_OUT]),
        (Numbers(window=sums(49, 49)), []),
        (Numbers(window=sums(50, 44)), []),
        (Numbers(window=sums(50, 45, source="")), [Rule.WIPED_OUT]),
        (Numbers(hour=sums(100, 60), usual=[sums(100, 20)] * 5), [Rule.UNUSUAL_RATE]),
        (Numbers(hour=sums(100, 2), usual=[sums(100, 20)] * 5), [Rule.UNUSUAL_RATE]),
        (Numbers(hour=sums(100, 24), usual=[sums(100, 20)] * 5), []),
        (Numbers(hour=sums(100, 60), usual=[sums(100, 20)] * 4), []),
        (Numbers(hour=sums(49, 49), usual=[sums(100, 20)] * 5), []),
        (Numbers(hour=sums(100, 40), usual=[sums(100, n) for n in (10, 20, 30, 40, 50)]), []),
        (Numbers(lags=[0, 500, 900, 1_000]), [Rule.LAG_GROWING]),
        (Numbers(lags=[0, 500, 900, 999]), []),
        (Numbers(lags=[2_000, 1_500, 1_600, 1_700]), []),
        (Numbers(lags=[1_000, 2_000, 3_000]), []),
        (Numbers(batches=[figures(100, schema=15), figures(100, not_json=5)]), [Rule.DEAD_LETTERS]),
        (Numbers(batches=[figures(100, schema=19)]), []),
        (Numbers(batches=[figures(1_000, schema=40)]), []),
        (Numbers(hot={"shingle 1": 5_000, "shingle 2": 4_999}), [Rule.HOT_BUCKET]),
        (Numbers(silent_ms=600_001, expected=True), [Rule.NO_BATCH]),
        (Numbers(silent_ms=600_001, expected=False), []),
        (Numbers(silent_ms=600_000, expected=True), []),
    ],
)
def test_the_rules(numbers: Numbers, rules: list[Rule]) -> None:
    found = alerts(numbers)
    assert [each.rule for each in found] == rules
    assert sum(by_rule(found).values()) == len(rules)
    assert set(by_rule(found)) == set(Rule)


def test_alerts_are_raised_once_and_cleared(tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    prepare(settings)
    store = open_index(settings)
    told: list[dict[str, Any]] = []
    now = 10 * HOUR.length_ms
    app = Dashboard(settings, clock=lambda: now / 1000, send=told.extend)
    names = [f"a{n}" for n in range(60)]
    batch(store, [event(name, now - 60_000 + n) for n, name in enumerate(names)])
    for _ in range(2):
        app.watcher.look()
    assert {(each["rule"], each["subject"], each["state"]) for each in told} == {
        ("wiped_out", "channel python", "raised"),
        ("wiped_out", "source agency", "raised"),
    }
    assert len(told) == len(app.watcher.standing) == 2
    batch(store, [deletion(name, now + n) for n, name in enumerate(names)])
    app.watcher.look()
    assert [each["state"] for each in told[2:]] == ["cleared", "cleared"]
    assert app.watcher.standing == []


def test_what_could_not_be_sent_is_sent_later(tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    prepare(settings)
    told: list[dict[str, Any]] = []
    broken = [True]

    def send(events: list[dict[str, Any]]) -> None:
        if broken[0]:
            raise NotTold("away")
        told.extend(events)

    app = Dashboard(settings, clock=lambda: 60.0, send=send)
    batch(open_index(settings), [event(f"a{n}", n) for n in range(60)])
    with pytest.raises(NotTold):
        app.watcher.look()
    broken[0] = False
    app.watcher.look()
    assert [each["state"] for each in told] == ["raised", "raised"]


@contextmanager
def webhook(status: int) -> Iterator[tuple[str, list[Any]]]:
    taken: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(orjson.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", taken
    server.shutdown()
    server.server_close()
    thread.join()


EVENT = {"rule": "no_batch", "subject": None, "state": "raised", "at_ms": 5}


def test_a_webhook_is_told() -> None:
    with webhook(204) as (url, taken), teller(url, {}) as send:
        assert send is not None
        send([EVENT])
    assert taken == [[EVENT]]


@pytest.mark.parametrize("status", [302, 400, 503])
def test_a_webhook_that_refuses_is_told_again(status: int) -> None:
    with webhook(status) as (url, _), teller(url, {}) as send:
        assert send is not None
        with pytest.raises(NotTold):
            send([EVENT])


def test_a_log_is_told(tmp_path: Path) -> None:
    with teller(f"file:{tmp_path / 'alerts'}", {}) as send:
        assert send is not None
        send([EVENT])
    (record,) = read_records(tmp_path / "alerts")
    assert orjson.loads(record.value or b"") == EVENT
    assert record.key == b"no_batch/"


def test_what_is_no_address_is_refused() -> None:
    for url in ("http://", "nonsense"):
        with pytest.raises(SettingsError), teller(url, {}):
            pass
    with teller(None, {}) as send:
        assert send is None
