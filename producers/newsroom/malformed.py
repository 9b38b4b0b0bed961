"""Events that have to be refused, each for one reason, named as in `streaming.reasons`."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from producers.newsroom.envelope import encode

REQUIRED = ("article_id", "channel")
NESTING = 5000
_UNKNOWN_EVENTS = ("published", "archived", "liked", "corrected")
_EMPTY_BODIES = ("", " \n　　\n", "<p>&nbsp;</p>", "<p></p><!-- empty -->", "&nbsp&nbsp")


def spoil(reason: str, content: Mapping[str, Any], random: Random, max_bytes: int) -> bytes:
    """Return the value of a well-formed event, spoiled for ``reason`` (one of ``REASONS``)."""
    return _SPOILERS[reason](dict(content), random, max_bytes)


def _not_json(content: dict[str, Any], random: Random, _: int) -> bytes:
    # Cut between characters: a broken UTF-8 sequence would be another reason.
    text = encode(content).decode()
    return text[: random.randrange(1, len(text) - 1)].encode()


def _not_utf8(content: dict[str, Any], _: Random, __: int) -> bytes:
    # The lone 0xFF guards against the rare GB text that happens to be UTF-8.
    return encode(content).decode().encode("gb18030") + b"\xff"


def _missing_field(content: dict[str, Any], random: Random, _: int) -> bytes:
    del content[random.choice(REQUIRED)]
    return encode(content)


def _empty_text(content: dict[str, Any], random: Random, _: int) -> bytes:
    return encode({**content, "title": "", "body": random.choice(_EMPTY_BODIES)})


def _unknown_event(content: dict[str, Any], random: Random, _: int) -> bytes:
    return encode({**content, "event": random.choice(_UNKNOWN_EVENTS)})


def _too_large(content: dict[str, Any], random: Random, max_bytes: int) -> bytes:
    body = content["body"] or content["title"]
    times = max_bytes // len(body.encode()) + 1 + random.randrange(2)
    return encode({**content, "body": body * times})


def _too_deep(content: dict[str, Any], _: Random, __: int) -> bytes:
    value = encode(content)
    return value[:-1] + b',"extra":' + b"[" * NESTING + b"]" * NESTING + b"}"


_SPOILERS: dict[str, Callable[[dict[str, Any], Random, int], bytes]] = {
    "not_json": _not_json,
    "not_utf8": _not_utf8,
    "schema": _missing_field,
    "empty_text": _empty_text,
    "unknown_event": _unknown_event,
    "too_large": _too_large,
    "too_deep": _too_deep,
}
REASONS = tuple(_SPOILERS)
