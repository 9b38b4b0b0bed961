"""Drafts that are asked about over HTTP: the answers are those of `leitong check`."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from producers import checks
from producers.checks import BadDraft, Busy, Checks
from producers.signing import Secrets
from producers.webhook import Webhook
from streaming import generations
from streaming.cli import main
from streaming.errors import LeitongError, SettingsError
from streaming.events import EventParser
from streaming.settings import Settings, load
from streaming.store.opening import open_catalogue, open_index, with_generation
from tests.dashboard.asking import BODY
from tests.indexed import everything, publish
from tests.producers.test_webhook import ask

ARTICLES = [
    {"article_id": "a03", "title": "降温", "body": BODY},
    {
        "article_id": "b17",
        "title": "别的",
        "body": "联赛昨晚结束，主队逆转取胜，球迷彻夜庆祝。" * 3,
    },
]
NOW = 1_770_000_000
DRAFT = {"title": "降温", "body": BODY.replace("今天", "昨天")}


def settings_of(tmp_path: Path, **more: str) -> Settings:
    told = {"store.url": f"sqlite:{tmp_path / 'leitong.db'}", **more}
    overrides = [(name, value, "test") for name, value in told.items()]
    return load(overrides=overrides, environment={}).settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_of(tmp_path)
    publish(tmp_path / "log", made, ARTICLES)
    return made


def opened(settings: Settings) -> Checks:
    found = Checks(settings, clock=lambda: NOW)
    found.open()
    return found


def webhook(settings: Settings, secrets: Secrets | None = None) -> Webhook:
    return Webhook(None, EventParser(), secrets, 50_000, checks=opened(settings), clock=lambda: NOW)


def test_the_answer_is_that_of_the_command_and_nothing_is_written(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(open_index(settings))
    found = ask(webhook(settings), orjson.dumps(DRAFT), "/check")
    assert found.status == 200
    assert found.json["duplicate_of"] == "a03"
    assert everything(open_index(settings)) == before
    (tmp_path / "draft.json").write_bytes(orjson.dumps(DRAFT))
    main(
        ["check", str(tmp_path / "draft.json"), "--json", "--store", settings.store.url,
         "--at", "2026-02-02T02:40:00Z"]
    )  # fmt: skip
    assert found.json == orjson.loads(capsys.readouterr().out)


def test_many_ask_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MOST_AT_ONCE", 16)
    asked = opened(settings)
    bodies = [BODY.replace("三天", f"{n}天") for n in range(40)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: asked.answer(orjson.dumps({"body": body})), bodies))
    alone = [asked.answer(orjson.dumps({"body": body})) for body in bodies]
    assert answers == alone
    assert {each["duplicate_of"] for each in answers} <= {"a03", None}


def test_too_many_are_told_to_come_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MOST_AT_ONCE", 0)
    asked = Checks(settings)
    with pytest.raises(Busy):
        asked.answer(b"{}")
    app = Webhook(None, EventParser(), None, 50_000, checks=asked)
    answer = ask(app, orjson.dumps(DRAFT), "/check")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        (b"", "draft"),
        (b"{", "JSON"),
        (b"[]", "not one article"),
        (b"{}", "empty_text"),
        (b'{"body": 1}', "schema"),
        (b'{"event": "deleted", "article_id": "a03"}', "only an article"),
        (b'{"event": "original", "article_id": "a", "other_id": "b"}', "only an article"),
    ],
)
def test_what_is_no_draft_is_told(settings: Settings, draft: bytes, told: str) -> None:
    app = webhook(settings)
    answer = ask(app, draft, "/check")
    assert answer.status == 422, answer.json
    assert told in answer.json["error"]
    assert ask(app, draft, "/check", CONTENT_TYPE="text/plain").status == 415


def test_a_channel_is_asked_for_where_it_is_the_scope(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, **{"matching.scope": "channel"})
    publish(tmp_path / "log", settings, [ARTICLES[0] | {"channel": "go"}])
    asked = opened(settings)
    with pytest.raises(BadDraft, match="no channel"):
        asked.answer(orjson.dumps(DRAFT))
    assert asked.answer(orjson.dumps(DRAFT | {"channel": "go"}))["duplicate_of"] == "a03"
    assert asked.answer(orjson.dumps(DRAFT | {"channel": "php"}))["duplicate_of"] is None


def test_asking_has_to_be_signed_too(settings: Settings) -> None:
    app, body = webhook(settings, Secrets([b"s" * 32])), orjson.dumps(DRAFT)
    assert ask(app, body, "/check").status == 401
    signed = {
        "HTTP_WEBHOOK_ID": "m1",
        "HTTP_WEBHOOK_TIMESTAMP": str(NOW),
        "HTTP_WEBHOOK_SIGNATURE": Secrets([b"s" * 32]).sign("m1", NOW, body),
    }
    assert ask(app, body, "/check", **signed).status == 200
    assert ask(app, body, "/events", **signed).status == 404
    assert ask(app, path="/health", REQUEST_METHOD="GET").status == 200


def test_another_generation_is_followed(settings: Settings, tmp_path: Path) -> None:
    asked = opened(settings)
    assert asked.answer(orjson.dumps(DRAFT))["duplicate_of"] == "a03"
    other = with_generation(settings, "green")
    publish(tmp_path / "other", other, [ARTICLES[0] | {"article_id": "c1"}])
    assert asked.answer(orjson.dumps(DRAFT))["duplicate_of"] == "a03"
    generations.activate(settings, "green", anyway=True)
    assert asked.answer(orjson.dumps(DRAFT))["duplicate_of"] == "c1"


@pytest.mark.usefixtures("settings")
def test_an_index_of_other_settings_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="other settings"):
        Checks(settings_of(tmp_path, **{"matching.k": "2"})).open()
    with pytest.raises(LeitongError):
        Checks(settings_of(tmp_path / "nowhere")).open()


def test_an_index_that_goes_away_is_told(settings: Settings, tmp_path: Path) -> None:
    app = webhook(settings)
    open_index(settings).close()
    open_catalogue(settings).close()
    (tmp_path / "leitong.db").rename(tmp_path / "away.db")
    (tmp_path / "leitong.db").mkdir()
    answer = ask(app, orjson.dumps(DRAFT), "/check")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "sqlite" not in answer.json["error"]
