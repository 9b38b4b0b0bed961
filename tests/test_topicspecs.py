"""How topics should be, and what is said of those that are otherwise."""

import shlex
from dataclasses import replace
from itertools import pairwise

import pytest

from streaming.errors import SettingsError
from streaming.settings import Settings, load
from streaming.topics import MESSAGE_BYTES, Topic
from streaming.topicspecs import Keeping, TopicSpec, command, differences, specs

DAY_MS = 86_400_000


def settings(**more: str) -> Settings:
    named = {
        "query.source": "kafka://k1:9092,k2/articles",
        "query.verdicts": "kafka://k1/verdicts",
        "query.dead_letters": "kafka://k1/dead-letters",
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    overrides = [(name, value, "test") for name, value in named.items()]
    return load(overrides=overrides, environment={}).settings


def as_asked(spec: TopicSpec) -> Topic:
    return Topic(
        created=True,
        partitions=spec.partitions,
        replication=spec.replication or 1,
        config=dict(spec.config),
    )


def test_articles_and_verdicts_are_kept_and_dead_letters_grow_old() -> None:
    articles, verdicts, letters = specs(settings(), Keeping())
    for spec in (articles, verdicts):
        assert spec.config["retention.ms"] == spec.config["retention.bytes"] == "-1"
    assert letters.config["retention.ms"] == str(90 * DAY_MS)
    for spec in (articles, verdicts, letters):
        assert spec.config["cleanup.policy"] == "delete"
        assert spec.config["message.timestamp.type"] == "LogAppendTime"
        assert "min.insync.replicas" not in spec.config


def test_only_verdicts_are_compacted() -> None:
    articles, verdicts, letters = specs(settings(), Keeping(compact_verdicts=True))
    assert verdicts.config["cleanup.policy"] == "compact"
    assert int(verdicts.config["delete.retention.ms"]) > int(
        verdicts.config["min.compaction.lag.ms"]
    )
    for spec in (articles, letters):
        assert spec.config["cleanup.policy"] == "delete"
    both = specs(settings(), Keeping(compact_verdicts=True, verdicts_ms=DAY_MS))[1]
    assert both.config["cleanup.policy"] == "compact,delete"


def test_articles_are_kept_for_as_long_as_verdicts_need_them() -> None:
    given = settings(matching__window="10d", store__edit_horizon="5d", store__lateness="1d")
    assert specs(given, Keeping(articles_ms=16 * DAY_MS))[0].config["retention.ms"] == str(
        16 * DAY_MS
    )
    with pytest.raises(SettingsError, match="together are 16d"):
        specs(given, Keeping(articles_ms=16 * DAY_MS - 1))


def test_one_copy_may_be_away() -> None:
    for copies, needed in ((1, "1"), (2, "1"), (3, "2")):
        spec = specs(settings(), Keeping(replication=copies))[0]
        assert spec.config["min.insync.replicas"] == needed


def test_a_topic_takes_the_largest_event_that_the_query_does() -> None:
    assert specs(settings(), Keeping())[0].config["max.message.bytes"] == str(MESSAGE_BYTES)
    larger = 64 * 1024 * 1024
    spec = specs(settings(events__max_bytes=str(larger)), Keeping())[0]
    assert int(spec.config["max.message.bytes"]) > larger


def test_what_is_no_topic_is_left_out() -> None:
    (only,) = specs(settings(query__source="file:log", query__verdicts="file:v"), Keeping())
    assert only.url.topic == "dead-letters"
    files = dict.fromkeys(("query__source", "query__verdicts", "query__dead_letters"), "file:x")
    with pytest.raises(SettingsError, match="none of query"):
        specs(settings(**files), Keeping())


def test_the_command_is_that_of_kafkas_own_tool() -> None:
    (spec, *_) = specs(settings(), Keeping(partitions=8, replication=3))
    words = shlex.split(command(spec, {}))
    assert words[:3] == ["kafka-topics.sh", "--bootstrap-server", "k1:9092,k2:9092"]
    asked = dict(pairwise(words))
    assert (asked["--topic"], asked["--partitions"]) == ("articles", "8")
    assert asked["--replication-factor"] == "3"
    assert [w for w in words if "=" in w] == [f"{k}={v}" for k, v in spec.config.items()]
    assert "--command-config" not in words
    secret = {"sasl.jaas.config": 'x username="u" password="hush"'}
    assert "--command-config client.properties" in command(spec, secret)
    assert "hush" not in command(spec, secret)


def test_every_difference_is_told_and_nothing_else() -> None:
    spec = specs(settings(), Keeping(replication=3, compact_verdicts=True, verdicts_ms=DAY_MS))[1]
    good = as_asked(spec)
    assert differences(spec, good) == []
    more = {**good.config, "max.message.bytes": "99999999", "cleanup.policy": "delete,compact"}
    assert differences(spec, replace(good, replication=5, config=more)) == []
    worse = {**good.config, "max.message.bytes": "1000", "retention.ms": "1"}
    assert differences(spec, Topic(created=False, partitions=3, replication=1, config=worse)) == [
        "it has 3 partitions, not 4",
        "it has 1 copies, not 3",
        f"retention.ms is 1, not {DAY_MS}",
        f"max.message.bytes is 1000, not {MESSAGE_BYTES}",
    ]
