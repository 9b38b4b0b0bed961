"""The webhook as a CMS meets it: a process, signed messages, and a broker that goes away."""

import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import orjson
import pytest
from kafka import KafkaConsumer

from streaming.events import Event, EventParser
from streaming.stack.stack import LocalStack

SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ=="  # noqa: S105 - of these tests only
DOCUMENT = Path(__file__).parents[2] / "docs" / "webhook.md"


@pytest.fixture(scope="module")
def post() -> Callable[[str, str, bytes], int]:
    """Sign and send as the documentation says."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    found: dict[str, Callable[[str, str, bytes], int]] = {}
    exec(code, found)  # noqa: S102 - our own documentation
    return found["post"]


@pytest.fixture
def topic(stack: LocalStack) -> str:
    return f"kafka://{stack.kafka}/hooked-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def address(topic: str, tmp_path: Path) -> Iterator[str]:
    """A webhook in a process of its own; gives where it takes events."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    errors = tmp_path / "errors"
    command = [sys.executable, "-m", "streaming", "webhook", "--to", topic]
    with (
        errors.open("w") as told,
        subprocess.Popen(
            [*command, "--listen", "127.0.0.1:0", "--secret-file", secret],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, errors.read_text()
        try:
            yield found.group()
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert "Traceback" not in errors.read_text()


def article(number: int) -> bytes:
    return orjson.dumps({"article_id": f"a{number}", "channel": "go", "body": "正文"})


def answered(post: Callable[[str, str, bytes], int], address: str, body: bytes) -> int:
    try:
        return post(address, SECRET, body)
    except HTTPError as error:
        error.close()
        return error.code


def read(topic: str) -> list[Event]:
    server, _, name = topic.removeprefix("kafka://").partition("/")
    consumer = KafkaConsumer(
        name,
        bootstrap_servers=server,
        auto_offset_reset="earliest",
        consumer_timeout_ms=5_000,
    )
    found = list(consumer)
    consumer.close()
    events = [EventParser().parse(each.value, each.key, tuple(each.headers)) for each in found]
    assert all(isinstance(event, Event) for event in events)
    assert [each.key.decode() for each in found] == [e.article_id for e in events]  # type: ignore[union-attr]
    return events  # type: ignore[return-value]


def test_what_was_answered_is_in_kafka(
    topic: str, address: str, post: Callable[[str, str, bytes], int]
) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: post(address, SECRET, article(n)), range(100)))
    assert answers == [200] * 100
    assert {event.article_id for event in read(topic)} == {f"a{n}" for n in range(100)}
    with pytest.raises(HTTPError) as refused:
        post(address, SECRET[::-1].replace("=", "") + "==", article(1))
    assert refused.value.code == 401
    refused.value.close()


def test_a_broker_that_goes_away_is_told_and_what_is_sent_again_arrives(
    stack: LocalStack, topic: str, address: str, post: Callable[[str, str, bytes], int]
) -> None:
    assert post(address, SECRET, article(0)) == 200
    stack.kill("kafka")
    try:
        with pytest.raises(HTTPError) as refused:
            post(address, SECRET, article(1))
        assert refused.value.code == 503
        assert refused.value.headers["Retry-After"] == "5"
        refused.value.close()
        with pytest.raises(HTTPError) as unwell:
            urlopen(address.replace("/events", "/health"))  # noqa: S310
        assert unwell.value.code == 503
        unwell.value.close()
    finally:
        stack.start("kafka")
    deadline = time.monotonic() + 120
    while answered(post, address, article(1)) == 503:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert answered(post, address, article(1)) == 200
    assert {"a0", "a1"} == {event.article_id for event in read(topic)}
