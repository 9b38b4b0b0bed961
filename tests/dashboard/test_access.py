"""Who may look, at what, and how much of it."""

import os
from pathlib import Path

import pytest

from streaming.dashboard.access import check_address, read_token
from streaming.dashboard.app import Dashboard
from streaming.dashboard.readonly import ReadOnly, TooMuch
from streaming.dashboard.static_files import read_static
from streaming.errors import SettingsError
from streaming.serving import Address
from streaming.store.opening import open_index
from tests.dashboard.asking import dashboard, fill, get, settings_of
from tests.engine.worlds import batch, event, index

TOKEN = "a-token-that-is-long-enough"  # noqa: S105 - a test's


@pytest.fixture
def app(tmp_path: Path) -> Dashboard:
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    fill(tmp_path, settings)
    return dashboard(settings)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_reading_is_answered(app: Dashboard, method: str) -> None:
    assert get(app, "/api/now", method=method).status == 405


def test_every_answer_carries_the_policy(app: Dashboard) -> None:
    for path in ("/", "/js/app.js", "/api/now", "/api/none", "/nowhere"):
        headers = get(app, path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert get(app, "/api/now", method="HEAD").content == b""


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:1", 200),
        ("localhost", 200),
        ("[::1]:8600", 200),
        ("evil.example", 421),
        ("", 421),
    ],
)
def test_on_loopback_only_its_own_names_are_answered(
    app: Dashboard, host: str, status: int
) -> None:
    assert get(app, "/api/now", HTTP_HOST=host).status == status


def test_whether_it_runs_is_told_to_everybody(tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    answer = get(dashboard(settings, token=TOKEN), "/healthz", HTTP_HOST="10.1.2.3:8600")
    assert (answer.status, answer.content) == (200, b"ok\n")


def test_with_a_token_who_brings_it_is_let_in(tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:{tmp_path / 'leitong.db'}")
    fill(tmp_path, settings)
    app = dashboard(settings, token=TOKEN)
    answer = get(app, "/api/now", HTTP_HOST="newsroom.example")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    for wrong in ("", f"Basic {TOKEN}", "Bearer ", f"Bearer {TOKEN}x", "Bearer é"):
        assert get(app, "/api/now", HTTP_AUTHORIZATION=wrong).status == 401
    assert get(app, "/api/now", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status == 200
    assert get(app, "/").status == 200


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/rates", "range=5y"),
        ("/api/rates", "by=name"),
        ("/api/rates", "end=-1"),
        ("/api/rates", "end=١"),
        ("/api/rates", "end=" + "9" * 15),
        ("/api/pair", "a=a03"),
        ("/api/pair", "a=a03&b=a03"),
        ("/api/search", ""),
        ("/api/search", "q=" + "x" * 201),
        ("/api/search", "q=" + "x" * 600),
        ("/api/search", "q=%ff"),
        ("/api/search", "q=%00"),
        ("/api/search", "&".join(f"p{n}=1" for n in range(20))),
        ("/api/article/" + "x" * 600, ""),
        ("/api/article/a\0", ""),
    ],
)
def test_what_makes_no_sense_is_refused(app: Dashboard, path: str, query: str) -> None:
    answer = get(app, path, query)
    assert (answer.status, answer.json["state"]) == (400, "refused")


@pytest.mark.parametrize("path", ["/api/", "/api/none", "/etc/passwd", "/js/../app.py", "/static/"])
def test_what_is_not_there_is_not_found(app: Dashboard, path: str) -> None:
    assert get(app, path).status == 404


def test_files_are_sent_once(app: Dashboard) -> None:
    first = get(app, "/js/app.js")
    again = get(app, "/js/app.js", HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert (again.status, again.content) == (304, b"")


def test_the_page_asks_nobody_else_and_stays_small() -> None:
    files = read_static()
    for path, file in files.items():
        if not path.startswith("/vendor/"):
            text = file.content.decode()
            assert "http://" not in text.replace("http://www.w3.org/", "")
            assert "https://" not in text
            assert not {"innerHTML", "insertAdjacentHTML", "document.write", "eval("} & {
                word
                for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(")
                if word in text
            }
    assert sum(len(file.content) for path, file in files.items() if path != "/") < 200_000


def test_a_question_may_read_so_much() -> None:
    store = index()
    batch(store, [event(f"a{n}", n) for n in range(10)])
    reading = ReadOnly(store, 5)
    with pytest.raises(TooMuch):
        list(reading.scan("timeline"))
    assert not hasattr(reading, "mutate")
    assert not {"mutate", "delete_rows", "compare_and_put", "ensure_tables", "drop_tables"} & set(
        dir(reading)
    )


def test_an_index_that_is_not_there_yet_comes_and_goes(tmp_path: Path) -> None:
    file = tmp_path / "leitong.db"
    settings = settings_of(f"sqlite:{file}")
    app = dashboard(settings)
    assert get(app, "/api/now").json["state"] == "empty"
    assert not file.exists()
    fill(tmp_path, settings)
    assert get(app, "/api/rates").status == 200
    open_index(settings).close()
    away = tmp_path / "away.db"
    file.rename(away)
    answer = get(app, "/api/stories")
    assert (answer.status, answer.json["state"]) == (503, "unreachable")
    assert not file.exists()
    away.rename(file)
    assert get(app, "/api/stories").status == 200


def test_a_store_that_nobody_answers_for_is_unreachable() -> None:
    url = "hbase://127.0.0.1:1/leitong?timeout=1s&deadline=1s"
    answer = get(dashboard(settings_of(url)), "/api/now")
    assert (answer.status, answer.json["state"]) == (503, "unreachable")


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("127.0.0.1:8600", True),
        ("[::1]:1", True),
        ("localhost:8600", True),
        (":8600", True),
        ("0.0.0.0:8600", False),
        ("[::]:8600", False),
        ("news.example:80", False),
    ],
)
def test_another_address_needs_a_token(text: str, *, loopback: bool) -> None:
    address = Address.parse(text)
    assert address.is_loopback is loopback
    if not loopback:
        with pytest.raises(SettingsError, match="token"):
            check_address(address, None)
    check_address(address, TOKEN)


@pytest.mark.parametrize("text", ["", "8600x", "127.0.0.1", "a:99999"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        Address.parse(text)


def test_tokens_come_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEITONG_DASHBOARD_TOKEN", raising=False)
    assert read_token(None) is None
    monkeypatch.setitem(os.environ, "LEITONG_DASHBOARD_TOKEN", TOKEN)
    assert read_token(None) == TOKEN
    file = tmp_path / "token"
    for content in ("", "short"):
        file.write_text(content)
        with pytest.raises(SettingsError):
            read_token(file)
    file.write_text(TOKEN + "\n")
    assert read_token(file) == TOKEN
    with pytest.raises(SettingsError):
        read_token(tmp_path / "none")
