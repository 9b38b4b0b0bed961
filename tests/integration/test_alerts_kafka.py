"""Alerts arrive on a real topic."""

import uuid

import orjson
from kafka import KafkaConsumer

from streaming.dashboard.telling import teller
from streaming.stack.stack import LocalStack
from streaming.topics import ensure_topic
from streaming.urls import KafkaUrl, LogUrl

EVENT = {"rule": "wiped_out", "subject": "channel php", "state": "raised", "at_ms": 5_000}


def test_a_topic_is_told(stack: LocalStack) -> None:
    topic = f"alerts-{uuid.uuid4().hex[:6]}"
    address = f"kafka://{stack.kafka}/{topic}"
    url = LogUrl.parse(address)
    assert isinstance(url, KafkaUrl)
    ensure_topic(url, partitions=1)
    with teller(address, {}) as send:
        assert send is not None
        send([EVENT, {**EVENT, "state": "cleared"}])
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=list(url.servers),
        auto_offset_reset="earliest",
        consumer_timeout_ms=20_000,
    )
    found = [next(consumer) for _ in range(2)]
    consumer.close()
    assert [orjson.loads(each.value)["state"] for each in found] == ["raised", "cleared"]
    assert {each.key for each in found} == {b"wiped_out/channel php"}
