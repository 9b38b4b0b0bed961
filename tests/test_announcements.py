"""The stream of verdicts: each change once, and again what may have been lost."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest

import schemas
from streaming import announcements
from streaming.announcements import Message
from streaming.engine.events import Logged
from streaming.errors import LeaseLost, SourceError
from streaming.store import ownership
from streaming.store.contract import Store
from streaming.store.lease import Lease
from tests.engine.worlds import batch, deletion, event, index


class Topic:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.broken = False

    def send(self, messages: Iterable[Message]) -> None:
        self.messages += messages
        if self.broken:
            raise SourceError("the broker is away")

    def take(self) -> dict[str, Any]:
        taken = {
            (each.key or b"").decode(): orjson.loads(each.value) if each.value else None
            for each in self.messages
        }
        self.messages = []
        return taken


def told(store: Store, topic: Topic, *events: Logged, owner: str | None = None) -> dict[str, Any]:
    judged = batch(store, events)
    token = ownership.next_token(store)
    due = [each for item in judged if (each := announcements.due(item, token))]
    announcements.deliver(store, token, due, topic.send, owner)
    return topic.take()


@pytest.fixture
def topic() -> Topic:
    return Topic()


def test_a_change_is_told_with_what_was_told_before(topic: Topic) -> None:
    store = index()
    first = told(store, topic, event("a", 5), event("b", 6))
    assert {name: (m["revision"], m["previous"]) for name, m in first.items()} == {
        "a": (1, None),
        "b": (1, None),
    }
    late = told(store, topic, event("z", 1))
    assert late.keys() == {"a", "b", "z"}, "all whose verdict changed, and only they"
    assert (late["b"]["revision"], late["b"]["duplicate_of"]) == (2, "z")
    assert late["b"]["previous"]["duplicate_of"] == "a"
    assert late["b"]["attempt"] > first["b"]["attempt"]
    for message in (*first.values(), *late.values()):
        assert list(schemas.violations("verdict", message)) == []


def test_nothing_new_is_not_told(topic: Topic) -> None:
    store = index()
    events: Sequence[Logged] = [event("a", 1), event("b", 2)]
    assert told(store, topic, *events).keys() == {"a", "b"}
    assert told(store, topic, *events) == {}


def test_a_deletion_is_a_null_with_its_numbers(topic: Topic) -> None:
    store = index()
    told(store, topic, event("a", 1), event("b", 2))
    judged = batch(store, [deletion("a", 3)])
    token = ownership.next_token(store)
    due = {each.article: each for item in judged if (each := announcements.due(item, token))}
    assert due["a"].message.value is None
    assert dict(due["a"].message.headers) == {
        "leitong.revision": b"2",
        "leitong.attempt": str(int.from_bytes(token)).encode(),
    }
    announcements.deliver(store, token, list(due.values()), topic.send, None)
    again = told(store, topic, event("a", 4))
    assert (again["a"]["revision"], again["a"]["previous"]) == (3, None)


def test_what_may_be_lost_is_told_again(topic: Topic) -> None:
    store = index()
    topic.broken = True
    with pytest.raises(SourceError):
        told(store, topic, event("a", 1))
    topic.take()
    topic.broken = False
    made_up = told(store, topic, event("a", 1))
    assert (made_up["a"]["revision"], made_up["a"]["previous"]) == (2, None)
    assert told(store, topic, event("a", 1)) == {}


def test_whoever_lost_the_index_says_nothing(topic: Topic) -> None:
    store = index()
    mine, other = Lease(store, 0.0), Lease(store, 0.0)
    mine.acquire()
    assert told(store, topic, event("a", 1), owner=mine.owner).keys() == {"a"}
    other.acquire()
    with pytest.raises(LeaseLost):
        told(store, topic, event("b", 2), owner=mine.owner)
    assert topic.messages == []
    # What it meant to say is not taken for said.
    assert told(store, topic, event("b", 2), owner=other.owner).keys() == {"b"}
