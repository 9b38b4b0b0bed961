"""How the topics of an installation should be, and how those that are there differ.

The log of articles keeps everything, or at least what an index may ask of it again. Verdicts may
be compacted: the key is the article, and each message tells all of its verdict. Dead letters may
not, since every refused record counts, so they only grow old.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from streaming.durations import show
from streaming.errors import SettingsError
from streaming.filelog import DEFAULT_PARTITIONS
from streaming.settings import Settings
from streaming.topics import FRAMING_BYTES, KEEP_EVERYTHING, MESSAGE_BYTES, Topic
from streaming.urls import KafkaUrl, LogUrl

_DAY_MS = 86_400_000
DEAD_LETTERS_MS = 90 * _DAY_MS
_COMPACTED = {
    "cleanup.policy": "compact",
    # Whoever reads at least once a day sees every change, and once a week every deletion.
    "min.compaction.lag.ms": str(_DAY_MS),
    "delete.retention.ms": str(7 * _DAY_MS),
}
_SECURITY = ("security.", "sasl.", "ssl.")


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is asked of all topics, and for how many milliseconds each keeps; 0: for ever.

    ``replication`` is the number of copies, None: as many as the broker makes by itself.
    """

    partitions: int = DEFAULT_PARTITIONS
    replication: int | None = None
    articles_ms: int = 0
    verdicts_ms: int = 0
    dead_letters_ms: int = DEAD_LETTERS_MS
    compact_verdicts: bool = False


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be."""

    url: KafkaUrl
    partitions: int
    replication: int | None
    config: Mapping[str, str]


def specs(settings: Settings, keeping: Keeping) -> list[TopicSpec]:
    """Give the topics that the settings name: articles, verdicts, dead letters.

    Those that are file logs or are not set are left out. SettingsError if none is left, or if the
    articles would not be kept for as long as an index needs them.
    """
    needed = settings.matching.window + settings.store.edit_horizon + settings.store.lateness
    if 0 < keeping.articles_ms < needed:
        raise SettingsError(
            f"articles kept for {show(keeping.articles_ms)} would be gone before verdicts are done"
            f" with them: the window, the edit horizon and the lateness together are {show(needed)}"
        )
    query = settings.query
    compacted: Mapping[str, str] = _COMPACTED if keeping.compact_verdicts else {}
    if compacted and keeping.verdicts_ms:
        compacted = {**compacted, "cleanup.policy": "compact,delete"}
    wanted: tuple[tuple[str | None, int, Mapping[str, str]], ...] = (
        (query.source, keeping.articles_ms, {}),
        (query.verdicts, keeping.verdicts_ms, compacted),
        (query.dead_letters, keeping.dead_letters_ms, {}),
    )
    shared = dict(KEEP_EVERYTHING)
    shared["max.message.bytes"] = str(max(MESSAGE_BYTES, settings.events.max_bytes + FRAMING_BYTES))
    if keeping.replication is not None:
        # One copy may be away, of several: our producers wait for all that are in sync.
        shared["min.insync.replicas"] = str(max(1, keeping.replication - 1))
    found = []
    for address, kept_ms, config in wanted:
        url = LogUrl.parse(address) if address else None
        if isinstance(url, KafkaUrl):
            kept = {"retention.ms": str(kept_ms or -1)}
            whole = {**shared, **kept, **config}
            found.append(TopicSpec(url, keeping.partitions, keeping.replication, whole))
    if not found:
        raise SettingsError(
            "none of query.source, query.verdicts and query.dead_letters is a topic of Kafka"
        )
    return found


def command(spec: TopicSpec, kafka: Mapping[str, str]) -> str:
    """Give the command with which Kafka's own tool makes a topic.

    ``kafka`` are the properties of our clients: if there are some of security among them the tool
    needs a file of its own with the same, which the command calls ``client.properties``.
    """
    words = ["kafka-topics.sh", "--bootstrap-server", spec.url.bootstrap]
    if any(name.startswith(_SECURITY) for name in kafka):
        words += ["--command-config", "client.properties"]
    words += ["--create", "--if-not-exists", "--topic", spec.url.topic]
    words += ["--partitions", str(spec.partitions)]
    if spec.replication is not None:
        words += ["--replication-factor", str(spec.replication)]
    for name, value in spec.config.items():
        words += ["--config", f"{name}={value}"]
    return shlex.join(words)


def differences(spec: TopicSpec, found: Topic) -> list[str]:
    """Say how a topic is not as it should be; larger messages and more copies are fine."""
    told = []
    if found.partitions != spec.partitions:
        told.append(f"it has {found.partitions} partitions, not {spec.partitions}")
    if spec.replication is not None and found.replication < spec.replication:
        told.append(f"it has {found.replication} copies, not {spec.replication}")
    for name, wanted in spec.config.items():
        value = found.config[name]
        if name == "max.message.bytes":
            suits = int(value) >= int(wanted)
        else:
            suits = set(value.split(",")) == set(wanted.split(","))
        if not suits:
            told.append(f"{name} is {value}, not {wanted}")
    return told
