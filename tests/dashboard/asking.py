"""Ask a dashboard without a socket, and an index to ask about."""

from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

import orjson
import zstandard

from streaming import deadletters
from streaming.dashboard.app import Dashboard
from streaming.deadletters import DeadLetter
from streaming.engine.put import TEXTS
from streaming.position import encode
from streaming.settings import Settings, load
from streaming.store import keys
from streaming.store.contract import Mutation
from streaming.store.opening import open_index
from tests.indexed import BEGIN_MS, publish

BODY = (
    "市气象台今天上午发布消息说，受冷空气影响，未来三天我市将有一次明显的降温过程。"
    "专家提醒市民出行注意添衣保暖，驾车人士尽量避开早晚高峰时段。"
    "有关部门已经要求各供热企业提前做好准备，确保居民室内温度达到标准。"
)
HOSTILE = (
    '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>\u202e\x1b[31m\'};alert(1)//'
)
EVENTS = [
    {"article_id": "a03", "title": "降温", "body": BODY, "source": "agency"},
    {
        "article_id": "b17",
        "title": "降温来了",
        "body": BODY.replace("今天", "昨天"),
        "channel": "php",
    },
    {
        "article_id": "c/1 é?",
        "title": "小心",
        "body": BODY.replace("三天", "五天"),
    },
    {
        "article_id": "d04",
        "title": "Football",
        "body": "联赛昨晚结束，主队逆转取胜，球迷彻夜庆祝。" * 3,
    },
    {"article_id": "gone", "title": "x", "body": "供热企业昨天开始点火。" * 4},
    {"article_id": "gone", "event": "deleted"},
]
END_MS = BEGIN_MS + len(EVENTS) * 60_000


def settings_of(url: str) -> Settings:
    return load(overrides=[("store.url", url, "test")], environment={}).settings


def fill(directory: Path, settings: Settings) -> None:
    """Publish `EVENTS`, and refuse two records.

    One text is replaced by what no normaliser lets through: the page must not rely on it.
    """
    publish(directory / "log", settings, EVENTS)
    store = open_index(settings)
    row = keys.article("c/1 é?")
    (version,) = store.rows(TEXTS, [row])[row]
    hostile = zstandard.compress(orjson.dumps([HOSTILE, HOSTILE + BODY]))
    store.mutate(TEXTS, [Mutation(row, {version: hostile})])
    letters = [
        DeadLetter(
            encode(BEGIN_MS + n, "log", 0, 900 + n), "parse", reason, HOSTILE, None, value, ()
        )
        for n, (reason, value) in enumerate(
            (("not_json", HOSTILE.encode()), ("not_utf8", b"\xff\x00<b>"))
        )
    ]
    deadletters.write(store, letters)


class Asked:
    """The answer to one request."""

    def __init__(self, status: str, headers: dict[str, str], content: bytes) -> None:
        self.status = int(status.split(maxsplit=1)[0])
        self.headers = headers
        self.content = content

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)


def get(
    app: WSGIApplication, path: str, query: str = "", method: str = "GET", **environ: str
) -> Asked:
    """Send a request as a server would hand it on."""
    told: list[Any] = []
    request: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "HTTP_HOST": "127.0.0.1:8600",
        **environ,
    }
    setup_testing_defaults(request)

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        told.extend((status, dict(headers)))

    content = b"".join(app(request, start))
    return Asked(told[0], told[1], content)


def asked(app: Dashboard, view: str, **parameters: str | int) -> Any:
    """Ask a view, which has to answer."""
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in parameters.items())
    answer = get(app, f"/api/{view}", query)
    assert answer.status == 200, answer.content
    return answer.json


def dashboard(settings: Settings, now_ms: int = END_MS, token: str | None = None) -> Dashboard:
    return Dashboard(settings, token, clock=lambda: now_ms / 1000)
