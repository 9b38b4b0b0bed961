"""``leitong topics`` at a real broker."""

import uuid

import pytest

from streaming.cli import main
from streaming.stack.stack import LocalStack
from streaming.topics import Topic, describe_topic, ensure_topic
from streaming.urls import KafkaUrl


@pytest.fixture
def urls(stack: LocalStack) -> list[KafkaUrl]:
    unique = uuid.uuid4().hex[:8]
    return [KafkaUrl((stack.kafka,), f"{name}-{unique}") for name in ("a", "v", "d")]


def topics(verb: str, urls: list[KafkaUrl], *more: str) -> int:
    named = [
        word
        for option, url in zip(("--source", "--verdicts", "--dead-letters"), urls, strict=True)
        for word in (option, str(url))
    ]
    try:
        main(["topics", verb, *named, "--replication", "1", *more])
    except SystemExit as ending:
        return int(ending.code or 0)
    return 0


def described(url: KafkaUrl) -> Topic:
    found = describe_topic(url)
    assert found is not None
    return found


@pytest.mark.usefixtures("no_settings")
def test_missing_topics_are_created_as_they_should_be(
    urls: list[KafkaUrl], capsys: pytest.CaptureFixture[str]
) -> None:
    assert topics("show", urls) == 1
    assert capsys.readouterr().out.count("it is not there") == 3
    assert topics("create", urls, "--partitions", "3", "--compact-verdicts") == 0
    assert capsys.readouterr().out.count("created, 3 partitions") == 3
    assert topics("show", urls, "--partitions", "3", "--compact-verdicts") == 0
    articles, verdicts, letters = map(described, urls)
    assert (articles.partitions, articles.replication, articles.doubts) == (3, 1, ())
    assert verdicts.config["cleanup.policy"] == "compact"
    assert letters.config["retention.ms"] == str(90 * 86_400_000)


@pytest.mark.usefixtures("no_settings")
def test_a_topic_that_is_there_is_never_changed(
    urls: list[KafkaUrl], capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_topic(urls[0], partitions=2, config={"retention.ms": "86400000"})
    before = described(urls[0])
    assert topics("create", urls) == 1
    told = capsys.readouterr().out
    assert "it has 2 partitions, not 4; retention.ms is 86400000, not -1" in told
    assert told.count("created") == 2
    assert described(urls[0]) == before
