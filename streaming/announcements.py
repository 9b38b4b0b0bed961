"""What the stream of verdicts says: each change of a verdict, once it stands.

What was said last of an article is kept in its row under the attempt's token: noted as an
intent before the message is sent, and as sent when it is durable. So a message that was
lost with its process is made up for, and one that says nothing new is not sent. A query
sends only if it still owns the index *after* its intents are written: should it stall and
send later than that, its successor has seen the intents and says what is right under a
larger token. Outside the law that the tables are a function of the log.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import orjson

from streaming.engine.judge import Judged
from streaming.exporting import Line, verdict_event
from streaming.store import keys, lease
from streaming.store.articles import TABLE
from streaming.store.contract import Mutation, Store

REVISION_HEADER = "leitong.revision"
ATTEMPT_HEADER = "leitong.attempt"


class Message(NamedTuple):
    """A message for a topic; a null value deletes what the key said before."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Announcement:
    """A message that is due; ``said`` is its revision and what it and the one before say."""

    article: str
    message: Message
    said: bytes


_INTENT, _SENT = b"i", b"s"


def due(item: Judged, token: bytes) -> Announcement | None:
    """Give what has to be said of a judged article, None if that was said already.

    ``revision`` counts the messages about an article and ``attempt`` tells which attempt
    made the verdict: of two messages the one of the larger attempt is right, should a
    query that lost its index still have something to say. A deletion is a null value, with
    both numbers in headers.
    """
    noted = item.row.announced or _SENT + b"[0,null,null]"
    revision, last, previous = orjson.loads(noted[1:])
    event = verdict_event(item)
    if noted.startswith(_SENT):
        if event == last:
            return None
        previous = last
    revision += 1
    attempt = int.from_bytes(token)
    key = item.article.encode()
    if event is None:
        numbers = ((REVISION_HEADER, revision), (ATTEMPT_HEADER, attempt))
        headers = tuple((name, str(number).encode()) for name, number in numbers)
        message = Message(key, None, headers)
    else:
        stream: Line = {"revision": revision, "attempt": attempt, "previous": previous}
        message = Message(key, orjson.dumps(event | stream))
    return Announcement(item.article, message, orjson.dumps([revision, event, previous]))


def with_similar(announcement: Announcement, similar: bytes | None) -> Announcement:
    """Add an article's list, as JSON, to what is announced of it.

    A list that changes alone is no news: it is not announced again.
    """
    message = announcement.message
    if message.value is None or similar is None:
        return announcement
    value = b"".join((message.value[:-1], b',"similar":', similar, b"}"))
    return replace(announcement, message=message._replace(value=value))


def deliver(
    store: Store,
    token: bytes,
    announcements: Sequence[Announcement],
    send: Callable[[Iterable[Message]], None],
    owner: str | None,
) -> None:
    """Send announcements, and note it; LeaseLost if ``owner`` no longer owns the index.

    ``send`` returns when all messages are durable. May be repeated, and then sends again.
    """
    _note(store, token, announcements, _INTENT)
    if owner is not None:
        lease.check(store, owner)
    send(each.message for each in announcements)
    _note(store, token, announcements, _SENT)


def _note(store: Store, token: bytes, announcements: Iterable[Announcement], state: bytes) -> None:
    cell = keys.ANNOUNCED + token
    store.mutate(
        TABLE,
        [Mutation(keys.article(each.article), {cell: state + each.said}) for each in announcements],
    )
