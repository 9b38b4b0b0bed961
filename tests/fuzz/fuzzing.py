"""Throw changed messages at the parser and the webhook; nothing may break, hang or go unsaid.

python -m tests.fuzz.fuzzing [--inputs N] [--seed N]
"""

import argparse
import io
import random
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from producers.committing import Committer
from producers.webhook import Webhook
from streaming.debezium import Changes
from streaming.events import Event, EventParser
from streaming.reasons import DETAIL_LIMIT, Reason, Rejected
from streaming.sinks import MemorySink

PARSER = EventParser(
    {"18": "python"},
    max_bytes=20_000,
    changes=Changes({"article_id": "id", "channel": "channel", "body": "body"}, {"on": ("true",)}),
)
MOST_BYTES = 100_000
SLOW_SECONDS = 1.0
"""Nothing of this size may take so long."""
STATUSES = frozenset({200, 400, 413, 415, 421, 422})

ARTICLE = {
    "article_id": "a-1",
    "channel": 18,
    "title": "标题 <b>粗</b>",
    "body": "<p>正文 &amp; 更多</p>",
    "published_at": "2023-10-20T11:38:00+08:00",
    "source": "社",
}
CLOUD = {"specversion": "1.0", "id": "1", "source": "/cms", "type": "cn.example.article.updated"}
DOCUMENTS: tuple[Any, ...] = (
    ARTICLE,
    {"id": 7, "channel": "go", "body": "x"},
    {"event": "deleted", "article_id": "a-1"},
    {"event": "not_duplicate", "article_id": "b", "other_id": "a", "by": "x", "note": "y"},
    {"event": "released", "article_id": "b"},
    {**CLOUD, "subject": "a-1", "data": ARTICLE},
    {**CLOUD, "subject": "a-1", "data_base64": "e30="},
    {"op": "c", "before": None, "after": {"id": 7, "channel": "go", "body": "x", "on": True}},
    {"schema": {"fields": [{"field": "after"}]}, "payload": {"op": "d", "before": {"id": 7}}},
)
SEEDS = (
    *map(orjson.dumps, DOCUMENTS),
    b"\0\0\0\0\7" + orjson.dumps(ARTICLE),
    b"\n".join(map(orjson.dumps, DOCUMENTS[:4])),
    b"",
)
PIECES = (
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"\n", b"{", b"}", b"[", b"]", b'"', b"\\", b",",
    b":", b"\\ud800", b"\\u0000", b"null", b"true", b"NaN", b"Infinity", b"-0", b"1e400", b"9" * 40,
    b"0.1", b'"a":', b'"event":', b'"data":', b'"id":', b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80",
    b"[" * 1_200, b'{"a":' * 1_200, b"<script>", b"\x1b[31m", b"A" * 30_000,
)  # fmt: skip
KINDS = (
    "application/json", "application/x-ndjson", "application/cloudevents+json", "text/plain", "",
    "application/json; charset=utf-8", "application/vnd.x+json",
    "application/cloudevents-batch+json",
)  # fmt: skip
NAMES = ("content-type", "ce_type", "ce_id", "ce_specversion", "ce_source", "ce_subject", "x")
VALUES = (
    b"1.0",
    b"x.created",
    b"/cms",
    b"\xff",
    b"",
    b"application/cloudevents+json",
    b"%E4%BD%A0",
)
HOSTS = (*("localhost", "127.0.0.1:8700", "[::1]:1") * 5, "elsewhere.example", "")
CHANGES = 6


@dataclass
class Findings:
    """What became of the inputs, and what should not have been."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def mutated(rng: random.Random) -> bytes:
    """Change a valid message in a few places."""
    value = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randrange(CHANGES)):
        at = rng.randrange(len(value) + 1)
        until = min(len(value), at + rng.choice((0, 1, 1, 3, 20)))
        match rng.randrange(5):
            case 0:
                value[at:until] = rng.choice(PIECES)
            case 1:
                del value[at:until]
            case 2:
                value[at:until] = rng.randbytes(until - at)
            case 3:
                other = rng.choice(SEEDS)
                value[at:until] = other[rng.randrange(len(other) + 1) :][: rng.randrange(60)]
            case _:
                value[at:until] = value[at:until] * rng.choice((2, 2, 50))
    return bytes(value)


def headers(rng: random.Random) -> tuple[tuple[str, bytes], ...]:
    """Draw headers, of CloudEvents mostly."""
    return tuple(
        (rng.choice(NAMES), rng.choice(VALUES)) for _ in range(rng.choice((0, 0, 0, 1, 2, 5)))
    )


def parse(rng: random.Random) -> Iterator[str]:
    """Give a message to the parser; yields what is wrong, and last what came of it."""
    value = mutated(rng) if rng.random() < 0.98 else None
    key = rng.choice((None, b"a-1", b"\xff", b""))
    found = PARSER.parse(value, key, headers(rng))
    if isinstance(found, Rejected):
        if found.reason not in Reason or not 0 < len(found.detail) <= DETAIL_LIMIT:
            yield f"a refusal without a reason: {found}"
        if any(not character.isprintable() for character in found.detail):
            yield f"a detail that is no line: {found.detail!r}"
        yield found.reason
        return
    for name in filter(None, (found.article_id, found.channel, found.other_id)):
        if any(unicodedata.category(character) == "Cc" for character in name):
            yield f"a name that cannot be a key: {name!r}"
    if not found.article_id:
        yield "an event of no article"
    yield found.kind


def post(app: Webhook, log: MemorySink, rng: random.Random) -> Iterator[str]:
    """Give a request to the webhook, likewise."""
    body, told = mutated(rng), []
    length = str(len(body)) if rng.random() < 0.95 else rng.choice(("", "-1", "9", "9" * 30, "x"))
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/events",
        "CONTENT_TYPE": rng.choice(KINDS),
        "CONTENT_LENGTH": length,
        "HTTP_HOST": rng.choice(HOSTS),
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in headers(rng):
        environ["HTTP_" + name.upper().replace("-", "_")] = value.decode("latin-1")
    before = len(log.messages)
    (content,) = app(environ, lambda status, _, __=None: told.append(int(status[:3])))  # type: ignore[arg-type]
    answer = orjson.loads(content)
    if told[0] not in STATUSES:
        yield f"status {told[0]}: {answer}"
    taken = log.messages[before:]
    if len(taken) != answer.get("events", 0) or (told[0] == 200) != bool(taken):
        yield f"{told[0]} and {len(taken)} messages: {answer}"
    for message in taken:
        if not isinstance(PARSER.parse(message.value, message.key, message.headers), Event):
            yield f"was taken, and is no event: {message}"
    if told[0] != 200 and not answer.get("error"):
        yield f"{told[0]} without a word: {answer}"
    for refused in answer.get("refused", ()):
        if not (refused["reason"] and refused["detail"] and refused["line"] > 0):
            yield f"a refusal without a reason: {refused}"
    yield str(told[0])


def run(inputs: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> Findings:
    """Throw so many inputs, half of them at the webhook."""
    found, log = Findings(), MemorySink()
    committer = Committer(lambda: log, 8)
    app = Webhook(committer, PARSER, None, MOST_BYTES)
    try:
        for number in range(inputs):
            rng = random.Random(f"{seed}/{number}")
            began = time.perf_counter()
            try:
                *faults, outcome = parse(rng) if number % 2 else post(app, log, rng)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                faults, outcome = [f"{type(error).__name__}: {error}"], "raised"
            if time.perf_counter() - began > SLOW_SECONDS:
                faults.append("took too long")
            found.outcomes[outcome] += 1
            found.faults += [f"input {number} of seed {seed}: {fault}" for fault in faults]
            log.messages.clear()
            progress(number)
    finally:
        committer.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    def progress(number: int) -> None:
        if number % 50_000 == 0:
            sys.stderr.write(f"{number:,} inputs\n")

    found = run(arguments.inputs, arguments.seed, progress)
    lines = [f"{count:>9,} {outcome}" for outcome, count in found.outcomes.most_common()]
    lines += [*found.faults[:20], f"{arguments.inputs:,} inputs, {len(found.faults):,} faults"]
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(found.faults)


if __name__ == "__main__":
    sys.exit(main())
