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
FRAMING_BYTES = 64 * 1024
MESSAGE_BYTES = MAX_VALUE_BYTES + FRAMING_BYTES
_BROKERS_OWN = -1
KEEP_EVERYTHING = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(MESSAGE_BYTES),
}
"""Settings of a topic from which nothing ever goes."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is.

    `replication` is that of its least copied partition, `config` has its settings and the
    broker's for those that it does not set. `doubts` are sentences about settings that do not
    suit a log.
    """

    created: bool
    partitions: int
    replication: int
    config: Mapping[str, str]
    doubts: tuple[str, ...] = ()

    @property
    def timestamps(self) -> str:
        """Who stamps its messages, as in `Timestamps`."""
        return self.config["message.timestamp.type"]

    @property
    def max_message_bytes(self) -> int:
        """The largest message that it takes, in bytes."""
        return int(self.config["max.message.bytes"])


def ensure_topic(
    url: KafkaUrl,
    properties: Mapping[str, str] | None = None,
    *,
    partitions: int | None = None,
    replication: int | None = None,
    timestamps: Timestamps | None = None,
    strict: bool = True,
    config: Mapping[str, str] | None = None,
) -> Topic:
    """Create a topic that keeps everything, or check the one that is there.

    Created with 4 `partitions`, the broker's number of copies (`replication`) and LogAppendTime
    unless asked otherwise; `config` adds to its settings. An existing topic is never altered:
    SourceError if it has another number of partitions or other timestamps than asked for, None
    asking for nothing; timestamps are only doubted if not `strict`. SourceError also, within
    seconds, if no broker answers; AccessRefused if the user may not write the topic, look at its
    settings, or create it.
    """
    with _administering(url, properties or {}) as admin:
        found, created = _look(admin, url, "Write"), False
        if found is None:
            settings = {
                **KEEP_EVERYTHING,
                "message.timestamp.after.max.ms": _NO_LIMIT,
                **({"message.timestamp.type": timestamps} if timestamps else {}),
                **(config or {}),
            }
            copies = _BROKERS_OWN if replication is None else replication
            created = _create(admin, url, partitions or DEFAULT_PARTITIONS, copies, settings)
            found = _look(admin, url, "Write")
        topic = _describe(admin, url.topic, found or [], created=created)
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


def _look(admin: Any, url: KafkaUrl, right: Right) -> list[Any] | None:
    """Give the partitions, None if there is no such topic; AccessRefused as above."""
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
    return list(found["partitions"])


def _create(
    admin: Any, url: KafkaUrl, partitions: int, replication: int, config: dict[str, str]
) -> bool:
    wanted = {"num_partitions": partitions, "replication_factor": replication, "configs": config}
    try:
        admin.create_topics({url.topic: wanted})
    except TopicAlreadyExistsError:
        return False
    except AuthorizationError:
        raise lacking(url, ["Create"]) from None
    admin.wait_for_topics([url.topic])
    return True


def _describe(admin: Any, name: str, partitions: list[Any], *, created: bool) -> Topic:
    described = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name)], config_filter="all"
    )
    config = {key: data["value"] for key, data in described["topic"][name].items()}
    doubts = []
    if "compact" in config["cleanup.policy"]:
        doubts.append("it is compacted, which loses the first appearance of edited articles")
    if int(config["retention.ms"]) >= 0 or int(config["retention.bytes"]) >= 0:
        doubts.append("its retention is limited, so it cannot be replayed from the beginning")
    copies = min((len(partition["replica_nodes"]) for partition in partitions), default=0)
    return Topic(created, len(partitions), copies, config, tuple(doubts))
