"""The dashboard as a WSGI application: a page, and what it asks for as JSON.

Only GET and HEAD are answered, from a store that cannot be written. What goes wrong is told
with a status and a sentence: 503 if the store does not answer, so that the page can say so
and try again.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from streaming.dashboard import letters, pages, rates, searching, stories
from streaming.dashboard.index import Index, NoIndex
from streaming.dashboard.now import Watch, now
from streaming.dashboard.periods import RANGES
from streaming.dashboard.readonly import ReadOnly, TooMuch
from streaming.dashboard.recent import newest_ms
from streaming.dashboard.requests import MOST_CHARACTERS, Gate, Parameters, Refused, bad
from streaming.dashboard.static_files import read_static
from streaming.dashboard.watching import Send, Watcher
from streaming.engine.summaries import GROUPS
from streaming.errors import LeitongError, SettingsError, StoreError
from streaming.metrics import IndexCollector, StoreCollector, build_info
from streaming.serving import healthz
from streaming.settings import Settings
from streaming.store.contract import Store
from streaming.store.statistics import OperationStatistics

MOST_ROWS = 250_000
"""Rows of the store that one question may read."""
_KEPT_SECONDS = 1.0
"""How long an answer serves whoever asks the same: many pages may be open."""
_MOST_KEPT = 64
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SECURITY = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_JSON = "application/json; charset=utf-8"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What a view is made from; ``rest`` is what follows its name in the path."""

    store: Store
    settings: Settings
    parameters: Parameters
    rest: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class _Answer:
    status: HTTPStatus
    kind: str
    content: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Dashboard:
    """Answers requests about one index; safe to share between threads.

    ``clock`` gives seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        token: str | None = None,
        clock: Callable[[], float] = time.time,
        send: Send | None = None,
    ) -> None:
        self._index = Index(settings)
        self._gate = Gate(token)
        self._clock = clock
        self._static = read_static()
        self._watch = Watch()
        self.watcher = Watcher(self._index, self._watch, clock, send)
        self._metrics = CollectorRegistry()
        build_info(self._metrics, "dashboard")
        self._metrics.register(IndexCollector(self._scraped))
        self._metrics.register(StoreCollector(self._requests))
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._lock = Lock()
        self._views: Mapping[str, Callable[[Question], Any]] = {
            "now": self._now,
            "rates": _rates,
            "stories": _stories,
            "story": _story,
            "article": _article,
            "pair": _pair,
            "dead-letters": _letters,
            "search": _search,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") == "/healthz":
            return healthz(None, start_response)
        answer = self._answer(environ)
        headers = [
            ("Content-Type", answer.kind),
            ("Content-Length", str(len(answer.content))),
            *answer.headers,
            *_SECURITY,
        ]
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.content]

    def _answer(self, environ: WSGIEnvironment) -> _Answer:
        try:
            return self._route(environ)
        except Refused as refusal:
            headers: tuple[tuple[str, str], ...] = ()
            if refusal.status is HTTPStatus.UNAUTHORIZED:
                headers = (("WWW-Authenticate", "Bearer"),)
            return _told(refusal.status, "refused", refusal.message, headers)

    def _route(self, environ: WSGIEnvironment) -> _Answer:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "this page can only be read")
        path = environ.get("PATH_INFO", "/")
        if path in self._static:
            return self._file(path, environ)
        self._gate.check(environ)
        if path == "/metrics":
            return _Answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._metrics))
        if not path.startswith("/api/"):
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        try:
            return self._view(path.removeprefix("/api/"), environ)
        except NoIndex:
            return _told(HTTPStatus.OK, "empty", "no query ever ran on this store")
        except LeitongError as error:
            known = (each for each in _STATUS if isinstance(error, each))
            status, state = _STATUS[next(known, LeitongError)]
            return _told(status, state, str(error))
        except Refused:
            raise
        except Exception:  # noqa: BLE001 - a defect of ours: the server goes on, and its log has the trace
            _log.exception("no answer to %s", path)
            return _told(
                HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "the dashboard's own log says why"
            )

    def _file(self, path: str, environ: WSGIEnvironment) -> _Answer:
        found = self._static[path]
        headers = (("ETag", found.tag), ("Cache-Control", "no-cache"))
        if environ.get("HTTP_IF_NONE_MATCH") == found.tag:
            return _Answer(HTTPStatus.NOT_MODIFIED, found.kind, b"", headers)
        return _Answer(HTTPStatus.OK, found.kind, found.content, headers)

    def _view(self, path: str, environ: WSGIEnvironment) -> _Answer:
        name, _, rest = path.partition("/")
        view = self._views.get(name)
        if view is None:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such view")
        # WSGI hands over the bytes of a path as if they were Latin-1.
        rest = rest.encode("latin-1").decode("utf-8", "replace")
        if len(rest) > MOST_CHARACTERS or "\0" in rest:
            raise bad("there is no such article")
        query = environ.get("QUERY_STRING", "")
        parameters = Parameters(query)
        asked = f"{name}/{rest}?{query}"
        content = self._remembered(asked)
        if content is None:
            store, settings = self._index.open()
            question = Question(
                _reading(store), settings, parameters, rest, int(self._clock() * 1000)
            )
            content = orjson.dumps(view(question))
            self._remember(asked, content)
        return _Answer(HTTPStatus.OK, _JSON, content, _FRESH)

    def _remembered(self, asked: str) -> bytes | None:
        with self._lock:
            until, content = self._kept.get(asked, (0.0, b""))
            return content if time.monotonic() < until else None

    def _remember(self, asked: str, content: bytes) -> None:
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[asked] = (time.monotonic() + _KEPT_SECONDS, content)

    def _now(self, question: Question) -> dict[str, Any]:
        found = now(question.store, self._watch, question.now_ms)
        return {
            **found,
            "newest_ms": newest_ms(question.store),
            "generation": question.settings.store.generation,
            "store": question.settings.store.url,
            "alerts": [each.fields() for each in self.watcher.standing],
        }

    def _scraped(self) -> dict[str, Any] | None:
        """Give what metrics are made from: nothing but a name if there is no index yet."""
        try:
            store, _ = self._index.open()
            found = now(_reading(store), self._watch, int(self._clock() * 1000))
        except NoIndex:
            return {}
        except LeitongError:
            return None
        return {
            **found,
            "alert_counts": self.watcher.counts(),
            "hot_buckets": self.watcher.hot_buckets,
        }

    def _requests(self) -> Mapping[str, OperationStatistics]:
        try:
            return self._index.open()[0].statistics()
        except (NoIndex, LeitongError):
            return {}


_FRESH = (("Cache-Control", "no-store"),)


class _NoArticleError(LeitongError):
    """There is no such article."""


_STATUS = {
    TooMuch: (HTTPStatus.UNPROCESSABLE_ENTITY, "refused"),
    SettingsError: (HTTPStatus.NOT_FOUND, "refused"),
    _NoArticleError: (HTTPStatus.NOT_FOUND, "refused"),
    StoreError: (HTTPStatus.SERVICE_UNAVAILABLE, "unreachable"),
    LeitongError: (HTTPStatus.CONFLICT, "refused"),
}
"""How an error is told; the first kind that fits counts."""


def _reading(store: Store) -> Store:
    # It stands for the whole contract, but the half that writes is not there.
    reading: Any = ReadOnly(store, MOST_ROWS)
    return cast("Store", reading)


def _told(
    status: HTTPStatus, state: str, message: str, headers: tuple[tuple[str, str], ...] = ()
) -> _Answer:
    content = orjson.dumps({"state": state, "message": message})
    return _Answer(status, _JSON, content, (*headers, *_FRESH))


def _span(question: Question, default: str) -> tuple[int, int, bool]:
    """Give begin and end of the range asked for, and whether it was moved to where data is.

    Without a stated end it ends now or, if nothing came for that long, with what came last.
    """
    chosen = question.parameters.range(default)
    end = question.parameters.moment("end")
    moved = False
    if end is None:
        end = question.now_ms
        newest = newest_ms(question.store)
        if newest is not None and newest < end - chosen.length_ms:
            end, moved = newest, True
    return (*chosen.ending(end), moved)


def _rates(question: Question) -> dict[str, Any]:
    by = question.parameters.choice("by", GROUPS, "channel")
    _, end, moved = _span(question, "24h")
    chosen = question.parameters.range("24h")
    found = rates.rates(question.store, chosen, end - 1, by)
    threshold = question.settings.matching.rules().thresholds.overlap
    return {**found, "moved": moved, "threshold": threshold, "ranges": list(RANGES)}


def _stories(question: Question) -> dict[str, Any]:
    begin, end, moved = _span(question, "24h")
    return {**stories.stories(question.store, begin, end), "moved": moved}


def _story(question: Question) -> dict[str, Any]:
    return _known(stories.story(question.store, question.rest), question.rest)


def _article(question: Question) -> dict[str, Any]:
    return _known(pages.article(question.store, question.settings, question.rest), question.rest)


def _pair(question: Question) -> dict[str, Any]:
    a, b = question.parameters.text("a"), question.parameters.text("b")
    if a == b:
        raise bad("these are one article: name two")
    return pages.pair(question.store, question.settings, a, b)


def _letters(question: Question) -> dict[str, Any]:
    begin, end, _ = _span(question, "7d")
    reason = question.parameters.text("reason", "") or None
    return letters.dead_letters(question.store, begin, end, reason)


def _search(question: Question) -> dict[str, Any]:
    asked = question.parameters.text("q").strip()
    if not asked or len(asked) > searching.MOST_ASKED:
        raise bad(f"ask for an id or words, at most {searching.MOST_ASKED} characters")
    before = question.parameters.moment("before")
    newest = newest_ms(question.store)
    end = before if before is not None else (newest or 0) + 60_000
    return searching.search(question.store, asked, 0, end)


def _known(found: dict[str, Any] | None, name: str) -> dict[str, Any]:
    if found is None:
        raise _NoArticleError(f"there is no article {name!r} in the index")
    return found
