"""Take article events over HTTP, and answer when the log has them.

``POST /events`` takes one event as JSON, several with one on each line
(``application/x-ndjson``), or a CloudEvent 1.0, structured or binary. Every event is looked at
before any is handed on, as the query will do it, so that whoever made a mistake hears of it at
once:

====== =====================================================================================
200    the log has all of them; ``{"events": n}``
400    the request is none: its length, its encoding, no event in it
401    nobody with the secret signed it just now
413    it is larger than an event may be, or has more events than are taken at once
415    its content type is none of the above
421    nothing has to be signed, and it was not addressed to this machine
422    at least one is no event, and none was handed on: ``line``, ``reason`` and ``detail``
429    too many wait already; come again after ``Retry-After`` seconds
503    the log did not answer, though it may have the events; send them again after that
====== =====================================================================================

Sent again, an event changes nothing: the later one stands, and says the same.

``POST /check`` takes an article that is not published yet, and answers with the verdict that it
would get and the evidence for it; nothing is written. ``GET /health`` is 200, or 503 while the log
does not answer; ``GET /healthz`` is 200 as long as this process answers at all.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson

from producers.checks import BadDraft, Busy, Checks
from producers.committing import Committer, Crowded, NotTaken
from producers.records import Record
from producers.signing import Secrets, Unsigned
from streaming.errors import LeitongError
from streaming.events import EventParser
from streaming.reasons import Reason, Rejected
from streaming.serving import is_of_this_machine

MOST_BYTES = 16 * 1024 * 1024
"""Size of the largest request, unless a single event may be larger."""
MOST_EVENTS = 1_000
"""Events of one request."""

_JSON, _LINES = "application/json", "application/x-ndjson"
_CLOUD = "application/cloudevents+json"
_MOST_TOLD = 20
_SOON_SECONDS, _LATER_SECONDS = 1, 5

_log = logging.getLogger(__name__)


class _Refused(Exception):  # noqa: N818 - the answer, not an error of ours
    """A request that is answered otherwise than with 200."""

    def __init__(self, status: HTTPStatus, told: Mapping[str, Any], again: int = 0) -> None:
        super().__init__(status)
        self.status, self.told, self.again = status, told, again


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as it was read; the names of ``headers`` are in lower case."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", _JSON).partition(";")[0].strip().lower()


class Webhook:
    """The application: WSGI, as any server of it runs.

    There is ``/events`` with a ``committer``, and ``/check`` with ``checks``. Without ``secrets``
    everybody on this machine may post. ``most_bytes`` is the size of the largest request.
    """

    def __init__(
        self,
        committer: Committer | None,
        parser: EventParser,
        secrets: Secrets | None,
        most_bytes: int,
        *,
        checks: Checks | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._committer, self._checks = committer, checks
        self._parser, self._secrets = parser, secrets
        self._most_bytes, self._clock = most_bytes, clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; whatever is in it, with JSON."""
        again = 0
        try:
            status, told = self._answer(environ)
        except _Refused as refusal:
            status, told, again = refusal.status, refusal.told, refusal.again
        except Exception:  # noqa: BLE001 - the sender has to hear something
            _log.exception("a request was not answered")
            status, told = HTTPStatus.INTERNAL_SERVER_ERROR, _error("this is our mistake")
        content = orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
        headers = [("Content-Type", _JSON), ("Content-Length", str(len(content)))]
        if again:
            headers.append(("Retry-After", str(again)))
        start_response(f"{status.value} {status.phrase}", headers)
        return [content]

    def _answer(self, environ: WSGIEnvironment) -> tuple[HTTPStatus, Mapping[str, Any]]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if path in {"/health", "/healthz"}:
            _allow(method, "GET")
            # A restart would not bring the log back, so /healthz does not ask for one.
            if path == "/health" and self._committer is not None and self._committer.stuck:
                raise _unavailable("the log does not answer")
            return HTTPStatus.OK, {"status": "ok"}
        if path == "/events" and self._committer is not None:
            _allow(method, "POST")
            return HTTPStatus.OK, _commit(self._committer, self._records(self._read(environ)))
        if path == "/check" and self._checks is not None:
            _allow(method, "POST")
            return HTTPStatus.OK, _checked(self._checks, self._read(environ))
        known = {"/events": self._committer, "/check": self._checks}
        there = ", ".join(name for name, behind in known.items() if behind is not None)
        raise _Refused(HTTPStatus.NOT_FOUND, _error(f"there is {there} and /health"))

    def _read(self, environ: WSGIEnvironment) -> _Request:
        length = environ.get("CONTENT_LENGTH") or ""
        if not length.isdecimal():
            raise _Refused(HTTPStatus.BAD_REQUEST, _error("the request has no Content-Length"))
        if int(length) > self._most_bytes:
            raise _too_large(f"the request is larger than {self._most_bytes} bytes")
        body = environ["wsgi.input"].read(int(length))
        if len(body) != int(length):
            raise _Refused(HTTPStatus.BAD_REQUEST, _error("the request ends before its length"))
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        request = _Request(headers, body)
        if self._secrets is None:
            # A page elsewhere whose name resolves to 127.0.0.1 is not from here.
            if not is_of_this_machine(headers.get("host", "")):
                told = _error("without a secret this is on 127.0.0.1 and localhost only")
                raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, told)
        else:
            try:
                self._secrets.check(headers, body, self._clock())
            except Unsigned as error:
                raise _Refused(HTTPStatus.UNAUTHORIZED, _error(str(error))) from None
        if headers.get("content-encoding", "identity").lower() != "identity":
            told = _error("the request is compressed; send it as it is")
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, told)
        return request

    def _records(self, request: _Request) -> list[Record]:
        found: list[Record] = []
        refused: list[dict[str, Any]] = []
        for line, value, headers in _messages(request):
            event = self._parser.parse(value, None, headers)
            if isinstance(event, Rejected):
                refused.append({"line": line, "reason": event.reason, "detail": event.detail})
            else:
                found.append(Record(event.article_id.encode(), value, None, headers))
            if len(found) + len(refused) > MOST_EVENTS:
                raise _too_large(f"more than {MOST_EVENTS} events in one request")
        if refused:
            told = {**_error("no event of these was taken"), "refused": refused[:_MOST_TOLD]}
            large = all(each["reason"] == Reason.TOO_LARGE for each in refused)
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE if large else HTTPStatus.UNPROCESSABLE_ENTITY,
                told,
            )
        if not found:
            raise _Refused(HTTPStatus.BAD_REQUEST, _error("there is no event in the request"))
        return found


def _commit(committer: Committer, records: Sequence[Record]) -> dict[str, Any]:
    try:
        committer.commit(records)
    except Crowded as error:
        raise _crowded(str(error)) from None
    except NotTaken:
        # What the log says is for its owner, who finds it in our log.
        raise _unavailable("the log did not confirm the events; send them again") from None
    return {"events": len(records)}


def _checked(checks: Checks, request: _Request) -> dict[str, Any]:
    if not _is_json(request.media_type):
        told = _error(f"content type {request.media_type!r} is not {_JSON}")
        raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, told)
    try:
        return checks.answer(request.body)
    except BadDraft as error:
        raise _Refused(HTTPStatus.UNPROCESSABLE_ENTITY, _error(str(error))) from None
    except Busy:
        raise _crowded("too many drafts are being looked at") from None
    except LeitongError as error:
        _log.warning("a draft was not checked: %s", error)
        raise _unavailable("the index cannot be asked just now") from None


def _is_json(media_type: str) -> bool:
    return media_type == _JSON or media_type.endswith("+json")


def _crowded(message: str) -> _Refused:
    return _Refused(HTTPStatus.TOO_MANY_REQUESTS, _error(message), _SOON_SECONDS)


def _unavailable(message: str) -> _Refused:
    return _Refused(HTTPStatus.SERVICE_UNAVAILABLE, _error(message), _LATER_SECONDS)


_Message = tuple[int, bytes, tuple[tuple[str, bytes], ...]]
"""The line of a message from 1, its value, and its headers."""


def _messages(request: _Request) -> Iterator[_Message]:
    """Give the messages of a request as Kafka will have them."""
    media, body = request.media_type, request.body
    attributes = tuple(
        (f"ce_{name.removeprefix('ce-')}", unquote(value).encode("utf-8", "replace"))
        for name, value in sorted(request.headers.items())
        if name.startswith("ce-")
    )
    if media == _CLOUD:
        yield 1, body, (("content-type", _CLOUD.encode()),)
    elif media == _LINES:
        for number, line in enumerate(body.split(b"\n"), 1):
            if line.strip():
                yield number, line, ()
    elif _is_json(media):
        yield 1, body, attributes
    else:
        told = _error(f"content type {media!r} is none of {_JSON}, {_LINES}, {_CLOUD}")
        raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, told)


def _allow(method: str, allowed: str) -> None:
    if method != allowed:
        raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, _error(f"use {allowed}"))


def _too_large(message: str) -> _Refused:
    return _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _error(message))


def _error(message: str) -> dict[str, Any]:
    return {"error": message}
