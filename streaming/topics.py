"""Create the topics of a log, and see that those that exist suit a log.

A topic of articles keeps everything: verdicts depend on the first appearance of an
article, which retention or compaction would lose.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from streaming.errors import SourceError
from streaming.filelog import DEFAULT_PARTITIONS, MAX_VALUE_BYTES
from streaming.kafkaclient import client_settings, connected, failure, lacking
from streaming.kafkaprobe import check_reachable
from streaming.urls import KafkaUrl

Timestamps = Literal["LogAppendTime", "CreateTime"]
"""Who stamps a message: the broker when it appends it, or the producer."""

Right = Literal["Read", "Write"]
"""What a user may do with a topic, as `kafka-acls` calls it."""

# Kafka's largest number: embargoed articles may be dated ahead of the clock.
_NO_LIMIT = str(2**63 - 1)
# A message is the value with its key, headers and framing.
_MESSAGE_BYTES = MAX_VALUE_BYTES + 64 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is. `doubts` are sentences about settings that do not suit a log."""

    created: bool
    partitions: int
    timestamps: str
    max_message_bytes: int
    doubts: tuple[str, ...] = ()


def ensure_topic(
    url: KafkaUrl,
    properties: Mapping[str, str] | None = None,
    *,
    partitions: int | None = None,
    timestamps: Timestamps | None = None,
    strict: bool = True,
    config: Mapping[str, str] | None = None,
) -> Topic:
    """Create a topic that keeps everything, or check the one that is there.

    Created with 4 `partitions` and LogAppendTime unless asked otherwise; `config` adds to
    its settings. An existing topic is never altered: SourceError if it has another number
    of partitions or other timestamps than asked for, None asking for nothing; timestamps
    are only doubted if not `strict`. SourceError also, within seconds, if no broker answers;
    AccessRefused if the user may not write the topic, look at its settings, or create it.
    """
    with _administering(url, properties or {}) as admin:
        wanted = partitions or DEFAULT_PARTITIONS
        count, created = _look(admin, url, "Write"), False
        if count is None:
            settings = {
                "retention.ms": "-1",
                "retention.bytes": "-1",
                "cleanup.policy": "delete",
                "message.timestamp.type": timestamps or "LogAppendTime",
                "message.timestamp.after.max.ms": _NO_LIMIT,
                "max.message.bytes": str(_MESSAGE_BYTES),
                **(config or {}),
            }
            created = _create(admin, url, wanted, settings)
            count = _look(admin, url, "Write") or wanted
        topic = _describe(admin, url.topic, count, created=created)
    if partitions is not None and topic.partitions != partitions:
        raise SourceError(
            f"{url}: the topic has {topic.partitions} partitions, which is part of the log; "
            f"leave out the {partitions}, or use a new topic"
        )
    if timestamps is not None and topic.timestamps != timestamps:
        difference = f"it has message.timestamp.type={topic.timestamps}, not {timestamps}"
        if strict:
            raise SourceError(
                f"{url}: {difference}; use a new topic, or the other kind of timestamps"
            )
        return replace(topic, doubts=(*topic.doubts, difference))
    return topic


def describe_topic(
    url: KafkaUrl,
    properties: Mapping[str, str] | None = None,
    right: Right = "Read",
) -> Topic | None:
    """Say how a topic is, None if there is none; SourceError within seconds without a broker.

    AccessRefused if the user lacks the `right`, or the one to look at the topic's settings.
    """
    with _administering(url, properties or {}) as admin:
        partitions = _look(admin, url, right)
        if partitions is None:
            return None
        return _describe(admin, url.topic, partitions, created=False)


@contextmanager
def _administering(url: KafkaUrl, properties: Mapping[str, str]) -> Iterator[Any]:
    settings = client_settings(url, properties, KafkaAdminClient.DEFAULT_CONFIG)
    check_reachable(url, properties)
    try:
        with closing(connected(KafkaAdminClient, settings)) as admin:
            yield admin
    except KafkaError as error:
        raise failure(url, error, "Describe") from error


def _look(admin: Any, url: KafkaUrl, right: Right) -> int | None:
    """Give the number of partitions, None if there is no such topic; AccessRefused as above."""
    (found,) = admin.describe_topics([url.topic])
    error = for_code(found["error_code"])
    if error is UnknownTopicOrPartitionError:
        return None
    if error is TopicAuthorizationFailedError:
        # Who had this right might know whether the topic is there.
        raise lacking(url, [right])
    # A broker that asks nobody for rights says that everybody has them.
    allowed = {str(each).replace("_", "").lower() for each in found["authorized_operations"]}
    missing = [each for each in (right, "DescribeConfigs") if each.lower() not in allowed]
    if missing:
        raise lacking(url, missing)
    return len(found["partitions"])


def _create(admin: Any, url: KafkaUrl, partitions: int, config: dict[str, str]) -> bool:
    try:
        admin.create_topics({url.topic: {"num_partitions": partitions, "configs": config}})
    except TopicAlreadyExistsError:
        return False
    except AuthorizationError:
        raise lacking(url, ["Create"]) from None
    admin.wait_for_topics([url.topic])
    return True


def _describe(admin: Any, name: str, partitions: int, *, created: bool) -> Topic:
    described = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name)], config_filter="all"
    )
    config = {key: data["value"] for key, data in described["topic"][name].items()}
    doubts = []
    if "compact" in config["cleanup.policy"]:
        doubts.append("it is compacted, which loses the first appearance of edited articles")
    if int(config["retention.ms"]) >= 0 or int(config["retention.bytes"]) >= 0:
        doubts.append("its retention is limited, so it cannot be replayed from the beginning")
    return Topic(
        created,
        partitions,
        config["message.timestamp.type"],
        int(config["max.message.bytes"]),
        tuple(doubts),
    )
