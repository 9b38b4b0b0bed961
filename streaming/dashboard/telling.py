"""Hand alerts on: to a Kafka topic, a file log, or a webhook."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import orjson

from streaming.dashboard.watching import Send
from streaming.errors import LeitongError, SettingsError
from streaming.sinks import open_sink

_TIMEOUT_SECONDS = 5.0


class NotTold(LeitongError):  # noqa: N818 - what became of an event
    """Nobody took the events; they are sent again."""


class _Stay(HTTPRedirectHandler):
    """A webhook answers for itself: what it points at was not named by the operator."""

    def redirect_request(self, *_: Any) -> None:
        return None


@contextmanager
def teller(url: str | None, kafka: Mapping[str, str]) -> Iterator[Send | None]:
    """Open what alerts are sent to, None if they are only shown.

    Each is sent at least once: a message keyed by its rule and subject, or a POST with a JSON
    array. SettingsError if the address is none.
    """
    if url is None:
        yield None
    elif urlsplit(url).scheme in {"http", "https"}:
        yield _webhook(url)
    else:
        with closing(open_sink(url, kafka, topic="alerts", partitions=1)) as sink:
            yield lambda events: _publish(sink, events)


def _publish(sink: Any, events: list[dict[str, Any]]) -> None:
    for event in events:
        key = f"{event['rule']}/{event['subject'] or ''}".encode()
        sink.send(key, orjson.dumps(event), (), event["at_ms"])
    sink.flush()


def _webhook(url: str) -> Callable[[list[dict[str, Any]]], None]:
    if not urlsplit(url).hostname:
        raise SettingsError(f"{url!r} names no host to send alerts to")
    opener = build_opener(_Stay)

    def send(events: list[dict[str, Any]]) -> None:
        request = Request(  # noqa: S310 - http or https, named by the operator
            url, orjson.dumps(events), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                    raise NotTold(f"the webhook answered {answer.status}")
        except (URLError, OSError) as error:
            raise NotTold(f"the webhook did not take the alerts: {error}") from None

    return send
