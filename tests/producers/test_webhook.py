"""The webhook: what it takes, what it refuses and how, and that the log has what it took."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from wsgiref.validate import validator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.committing import Committer
from producers.signing import Secrets
from producers.webhook import MOST_EVENTS, Webhook
from streaming.errors import SourceError
from streaming.events import Event, EventParser
from streaming.serving import Address, Limits, served
from streaming.sinks import MemorySink

ARTICLE = {"article_id": "a-1", "channel": "体育", "title": "标题", "body": "正文"}
PARSER = EventParser(max_bytes=10_000)
MOST_BYTES = 50_000
SECRETS = Secrets([b"s" * 32])
NOW = 1_800_000_000


class Answer:
    """The answer to one request."""

    def __init__(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        self.status, self.headers = int(status[:3]), dict(headers)
        self.json: Any = orjson.loads(content)


@contextmanager
def hooked(
    log: MemorySink, secrets: Secrets | None = None, most: int = 8, patience: float = 5.0
) -> Iterator[Webhook]:
    committer = Committer(lambda: log, most, patience)
    try:
        yield Webhook(committer, PARSER, secrets, MOST_BYTES, clock=lambda: NOW)
    finally:
        committer.close()


def ask(app: Webhook, body: bytes = b"", path: str = "/events", **environ: str) -> Answer:
    """Send a request as a server would hand it on."""
    told: list[Any] = []
    request: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "h",
        "SERVER_PORT": "1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "localhost:8700",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **environ,
    }

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        told.extend((status, headers))

    checked = validator(app)(request, start)
    content = b"".join(checked)
    checked.close()  # type: ignore[attr-defined]
    return Answer(told[0], told[1], content)


def parsed(log: MemorySink) -> list[Event]:
    """What the query would read."""
    found = [PARSER.parse(m.value, m.key, m.headers) for m in log.messages]
    assert all(isinstance(each, Event) for each in found), found
    return found  # type: ignore[return-value]


def test_an_event_is_answered_when_the_log_has_it() -> None:
    log = MemorySink()
    with hooked(log) as app:
        answer = ask(app, orjson.dumps(ARTICLE))
        assert (answer.status, answer.json) == (200, {"events": 1})
        assert log.acknowledged == 1
    (message,) = log.messages
    assert (message.key, message.value) == (b"a-1", orjson.dumps(ARTICLE))
    assert message.timestamp_ms is None, "the log stamps it"


def test_several_events_stand_on_lines() -> None:
    log = MemorySink()
    lines = [orjson.dumps(ARTICLE | {"article_id": f"a{n}"}) for n in range(3)]
    with hooked(log) as app:
        answer = ask(app, b"\r\n".join([*lines, b""]), CONTENT_TYPE="application/x-ndjson")
        assert (answer.status, answer.json) == (200, {"events": 3})
    assert [event.article_id for event in parsed(log)] == ["a0", "a1", "a2"]


def test_cloud_events_come_in_both_modes() -> None:
    log = MemorySink()
    cloud = {"specversion": "1.0", "id": "1", "source": "/cms", "type": "x.updated"}
    with hooked(log) as app:
        enclosed = orjson.dumps({**cloud, "subject": "b 1", "data": ARTICLE})
        kind = "application/cloudevents+json; charset=utf-8"
        assert ask(app, enclosed, CONTENT_TYPE=kind).status == 200
        attributes = {f"HTTP_CE_{name.upper()}": value for name, value in cloud.items()}
        bare = {name: value for name, value in ARTICLE.items() if name != "article_id"}
        answer = ask(app, orjson.dumps(bare), HTTP_CE_SUBJECT="b%201", **attributes)
        assert answer.status == 200, answer.json
    assert [(e.kind, e.article_id) for e in parsed(log)] == [("updated", "a-1"), ("updated", "b 1")]
    assert [message.key for message in log.messages] == [b"a-1", b"b 1"]


@pytest.mark.parametrize(
    ("body", "environ", "status", "told"),
    [
        (b"", {}, 422, "no_value"),
        (b"{", {}, 422, "not_json"),
        (b"\xff", {}, 422, "not_utf8"),
        (b"{}", {}, 422, "schema"),
        (b"[" * 9_000, {}, 422, "too_deep"),
        (b" " * 10_001, {}, 413, "too_large"),
        (b" " * (MOST_BYTES + 1), {}, 413, "50000 bytes"),
        (b"\n\n", {"CONTENT_TYPE": "application/x-ndjson"}, 400, "no event"),
        (b"{}\n" * (MOST_EVENTS + 1), {"CONTENT_TYPE": "application/x-ndjson"}, 413, "1000 events"),
        (b"{}", {"CONTENT_TYPE": "text/plain"}, 415, "text/plain"),
        (b"[]", {"CONTENT_TYPE": "application/cloudevents-batch+json"}, 422, "schema"),
        (b"{}", {"HTTP_CONTENT_ENCODING": "gzip"}, 415, "compressed"),
        (b"{}", {"CONTENT_LENGTH": "9"}, 400, "ends before"),
        (b"{}", {"CONTENT_LENGTH": ""}, 400, "no Content-Length"),
        (b"{}", {"REQUEST_METHOD": "GET"}, 405, "use POST"),
        (b"{}", {"REQUEST_METHOD": "PUT"}, 405, "use POST"),
        (b"{}", {"path": "/"}, 404, "/events"),
        (b"{}", {"HTTP_HOST": "rebound.example:8700"}, 421, "localhost only"),
        (b"{}", {"HTTP_HOST": ""}, 421, "localhost only"),
    ],
)
def test_what_cannot_be_taken_is_told(
    body: bytes, environ: dict[str, str], status: int, told: str
) -> None:
    log = MemorySink()
    with hooked(log) as app:
        answer = ask(app, body, **environ)
    assert answer.status == status
    assert told in orjson.dumps(answer.json).decode()
    assert log.messages == []


def test_one_mistake_on_a_line_stops_all_and_says_where() -> None:
    log = MemorySink()
    good = orjson.dumps(ARTICLE)
    with hooked(log) as app:
        answer = ask(app, b"\n".join((good, b"", b"{", good)), CONTENT_TYPE="application/x-ndjson")
    assert answer.status == 422
    (refused,) = answer.json["refused"]
    assert (refused["line"], refused["reason"]) == (3, "not_json")
    assert log.messages == []


def test_messages_have_to_be_signed_where_there_is_a_secret() -> None:
    log, body = MemorySink(), orjson.dumps(ARTICLE)
    signed = {
        "HTTP_WEBHOOK_ID": "m1",
        "HTTP_WEBHOOK_TIMESTAMP": str(NOW),
        "HTTP_WEBHOOK_SIGNATURE": SECRETS.sign("m1", NOW, body),
    }
    with hooked(log, SECRETS) as app:
        assert ask(app, body, HTTP_HOST="hooks.example", **signed).status == 200
        for other in (body + b" ", b""):
            refused = ask(app, other, **signed)
            assert (refused.status, "signature" in refused.json["error"]) == (401, True)
        assert ask(app, body).json == {"error": "the header webhook-id is missing"}
        assert ask(app, path="/health", REQUEST_METHOD="GET").status == 200
    assert len(log.messages) == 1


class Slow(MemorySink):
    """A log that is held up."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.free = threading.Event(), threading.Event()

    def flush(self) -> None:
        self.reached.set()
        self.free.wait(20)
        super().flush()


def test_too_many_are_told_to_come_again() -> None:
    log, body = Slow(), orjson.dumps(ARTICLE)
    with hooked(log, most=1) as app, ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, app, body)
        log.reached.wait(5)
        answer = ask(app, body)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        log.free.set()
        assert first.result(5).status == 200
        assert ask(app, body).status == 200


def test_a_log_that_does_not_answer_is_told() -> None:
    log, body = Slow(), orjson.dumps(ARTICLE)
    with hooked(log, patience=0.1) as app:
        answer = ask(app, body)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert ask(app, path="/health", REQUEST_METHOD="GET").status == 503
        assert ask(app, path="/healthz", REQUEST_METHOD="GET").status == 200
        assert ask(app, body).status == 503
        log.free.set()


def test_what_a_log_says_is_not_told_to_senders() -> None:
    class Broken(MemorySink):
        def flush(self) -> None:
            raise SourceError("broker-17.internal refused")

    with hooked(Broken()) as app:
        answer = ask(app, orjson.dumps(ARTICLE))
    assert answer.status == 503
    assert "internal" not in answer.json["error"]


VALUES = st.none() | st.text(max_size=5) | st.integers(-9, 9)
BODIES = st.binary(max_size=60) | st.builds(
    orjson.dumps, st.dictionaries(st.sampled_from([*ARTICLE, "event", "data"]), VALUES)
)
KINDS = ("application/json", "application/x-ndjson", "application/cloudevents+json", "", "x")
ATTRIBUTES = st.dictionaries(
    st.sampled_from([f"HTTP_CE_{name}" for name in ("TYPE", "ID", "SUBJECT", "SPECVERSION")]),
    st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=9),
)


@settings(max_examples=300)
@given(BODIES, st.sampled_from(KINDS), ATTRIBUTES)
def test_any_request_is_answered_and_what_is_taken_is_an_event(
    body: bytes, kind: str, attributes: dict[str, str]
) -> None:
    log = MemorySink()
    with hooked(log) as app:
        answer = ask(app, body, CONTENT_TYPE=kind, **attributes)
    assert answer.status in {200, 400, 413, 415, 422}
    assert (answer.status == 200) == bool(log.messages)
    assert len(parsed(log)) == answer.json.get("events", 0)
    for refused in answer.json.get("refused", ()):
        assert refused["reason"]
        assert refused["detail"]


def test_it_is_served() -> None:
    log = MemorySink()
    limits = Limits(threads=20, body_bytes=MOST_BYTES)
    with hooked(log, most=40) as app, served(app, Address("127.0.0.1", 0), limits) as where:

        def post(number: int) -> int:
            body = orjson.dumps(ARTICLE | {"article_id": f"a{number}"})
            with urlopen(
                Request(f"http://{where}/events", body, {"Content-Type": "application/json"})
            ) as answer:
                return int(answer.status)

        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(post, range(64))) == {200}
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(f"http://{where}/events", b" " * (MOST_BYTES + 1)))
        assert refused.value.code == 413
        refused.value.close()
    assert {event.article_id for event in parsed(log)} == {f"a{n}" for n in range(64)}
