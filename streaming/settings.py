"""The settings: one strict file, the environment over it, the command line over both.

``leitong.toml`` has a table per group below; an unknown key is an error that names the
nearest known one. ``LEITONG_MATCHING__K=2`` and ``--set matching.k=2`` say the same. The
groups ``kafka`` and ``spark`` are passed through to those programs as they are; in the
environment ``LEITONG_KAFKA__SASL_JAAS_CONFIG`` is Kafka's ``sasl.jaas.config``.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from streaming.durations import Duration, show
from streaming.errors import SettingsError
from streaming.fingerprints.bands import BandScheme
from streaming.kafkasettings import KafkaProperties, is_harmless
from streaming.matching.rules import Rules
from streaming.matching.verification import DEFAULT_THRESHOLDS, Thresholds
from streaming.text.settings import TextSettings
from streaming.thresholds import ThresholdsField

DEFAULT_FILE = Path("leitong.toml")
ENVIRONMENT_PREFIX = "LEITONG_"
_NEWS_FEED = (
    "html 开发者资讯 ios c++ android css 数据库 区块链 go 产品 后端 linux 人工智能 php javascript"
    " 架构 前端 python java 算法 面试 科技动态 js 设计 数码产品"
)


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DebeziumSettings(_Group):
    """Which columns of a content system's table are which fields of an event."""

    article_id: str = Field("id", description="column that names the article")
    channel: str = Field("channel", description="column of the channel, its name or number")
    title: str | None = Field("title", description="column of the headline")
    body: str | None = Field("body", description="column of the text, HTML or plain")
    published_at: str | None = Field("published_at", description="column of the publication time")
    source: str | None = Field(None, description="column of who published it first")
    url: str | None = Field(None, description="column of where readers find it")
    author: str | None = Field(None, description="column of the byline")
    language: str | None = Field(None, description="column of the language")
    where: dict[str, tuple[str, ...]] = Field(
        {}, description="column -> values of published articles; other rows count as deleted"
    )

    @field_validator("where", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        """Let a value stand alone, and TOML's numbers and truths be written as themselves."""
        if not isinstance(value, dict):
            return value
        return {
            name: [
                str(each).lower() if isinstance(each, bool) else str(each)
                for each in (values if isinstance(values, list | tuple) else [values])
            ]
            for name, values in value.items()
        }

    def columns(self) -> dict[str, str]:
        """Give the column of every field that has one."""
        return {
            name: column
            for name, column in self.model_dump(exclude={"where"}).items()
            if column is not None
        }


class EventSettings(_Group):
    """What is accepted as an article event."""

    max_bytes: int = Field(
        4 * 1024 * 1024, ge=1, description="largest event value in bytes; larger ones are refused"
    )
    utc_offset_hours: float = Field(
        8.0, ge=-14, le=14, description="time zone of a published_at that names none"
    )
    debezium: DebeziumSettings | None = Field(
        None, description="columns of a table whose changes, told by Debezium, are events"
    )


class MatchingSettings(_Group):
    """What a verdict means; stamped into the generation."""

    k: int = Field(3, ge=0, le=8, description="Hamming radius of SimHash in bits")
    blocks: int = Field(4, ge=1, le=16, description="blocks into which the 64 bits are cut")
    chosen: int = Field(1, ge=1, le=8, description="blocks that a band joins")
    visible: int = Field(64, ge=1, description="earliest articles that are seen under one key")
    window: Duration = Field(
        90 * 86_400_000, ge=0, description="how far back an article is compared, in log time"
    )
    scope: Literal["newsroom", "channel"] = Field(
        "newsroom", description="compare across the newsroom, or within a channel only"
    )
    shingles: bool = Field(
        default=True, description="compare articles that share shingles, not near fingerprints only"
    )
    verify_simhash: bool = Field(
        default=True, description="false: every fingerprint within k bits is a duplicate, unread"
    )
    max_matches: int = Field(20, ge=1, le=1000, description="matches kept in a verdict")
    thresholds_file: ThresholdsField | None = Field(
        None, description="what verification asks for, as leitong calibrate wrote it"
    )

    @model_validator(mode="after")
    def _exact(self) -> "MatchingSettings":
        self.rules()
        return self

    def rules(self) -> Rules:
        """Give the rules that the engine applies."""
        return Rules(
            k=self.k,
            bands=BandScheme(self.blocks, self.chosen),
            visible=self.visible,
            window_ms=self.window,
            scope=self.scope,
            shingles=self.shingles,
            verify_simhash=self.verify_simhash,
            thresholds=self._thresholds(),
            max_matches=self.max_matches,
        )

    def _thresholds(self) -> Thresholds:
        learned = self.thresholds_file
        return DEFAULT_THRESHOLDS if learned is None else learned.thresholds


class StorySettings(_Group):
    """How stories are shown; read with the verdicts, never stored."""

    sources: tuple[str, ...] = Field(
        (), description="sources whose own articles stand for a story, the best first"
    )


class StoreSettings(_Group):
    """Where the index lives."""

    url: str = Field(
        "sqlite:leitong.db", description="sqlite:PATH, hbase://HOST:PORT/PREFIX or memory:NAME"
    )
    generation: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9]{0,31}$",
        description="name of the set of tables in use; unset: the active one",
    )
    retention: Duration = Field(
        0,
        ge=0,
        description="how long articles are kept after they were last touched; 0: for ever",
    )
    edit_horizon: Duration = Field(
        30 * 86_400_000,
        ge=0,
        description="how long after its first event an article may be edited or deleted, at least",
    )
    lateness: Duration = Field(
        86_400_000, ge=0, description="how long after its time stamp an event may come, at least"
    )


class QuerySettings(_Group):
    """How the streaming query runs."""

    source: str = Field(
        "file:log", description="the log of article events: file:DIR or kafka://HOST:PORT/TOPIC"
    )
    checkpoint: str = Field("checkpoint", description="Spark's checkpoint directory")
    trigger: Duration = Field(1_000, ge=0, description="how often a micro-batch begins")
    max_batch: int = Field(
        5_000, ge=1, description="events in a micro-batch; a file log rounds to segments"
    )
    patience: Duration = Field(
        600_000, ge=0, description="how long the query tries again when the store or log is away"
    )
    lease: Duration = Field(
        15_000,
        ge=0,
        description="silence after which another query may take the index over; 0: no lease",
    )
    tasks: int = Field(0, ge=0, description="tasks of a micro-batch; 0: one per core, at least 2")
    models: str | None = Field(
        None, description="versions of the models for similar articles: a directory or a URL"
    )
    views: Path | None = Field(
        None,
        description="where hosts keep what they rank articles against; unset: leitong's cache",
    )
    backlog: int = Field(
        2_000, ge=1, description="articles that were never ranked, ranked with a batch per channel"
    )
    verdicts: str | None = Field(
        None, description="where verdict events go: file:DIR or kafka://HOST:PORT/TOPIC"
    )
    dead_letters: str | None = Field(
        None, description="where refused events go, beside the store: file:DIR or kafka://..."
    )


class Settings(_Group):
    """Everything that can be set."""

    channels: dict[str, str] = Field(
        {str(i): name for i, name in enumerate(_NEWS_FEED.split(), start=1)},
        description="channel ids and the names they stand for; other names work as they are",
    )
    events: EventSettings = EventSettings()
    text: TextSettings = TextSettings()
    matching: MatchingSettings = MatchingSettings()
    stories: StorySettings = StorySettings()
    store: StoreSettings = StoreSettings()
    query: QuerySettings = QuerySettings()
    kafka: KafkaProperties = Field(
        KafkaProperties({}), description="passed to every Kafka client as it is; never printed"
    )
    spark: dict[str, str] = Field({}, description="passed to Spark as it is")

    @field_validator("channels", "spark", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        """TOML reads 512 and true as themselves; pass-through groups want their text."""
        if not isinstance(value, dict):
            return value
        return {str(k): str(v).lower() if isinstance(v, bool) else str(v) for k, v in value.items()}

    def for_workers(self) -> "Settings":
        """Give the settings without what only the driver needs, some of it secret."""
        return self.model_copy(update={"kafka": KafkaProperties({}), "spark": {}})

    @model_validator(mode="after")
    def _retention_is_enough(self) -> "Settings":
        store = self.store
        needed = self.matching.window + store.edit_horizon + store.lateness
        if 0 < store.retention < needed:
            raise ValueError(
                f"store.retention of {show(store.retention)} would forget what verdicts need:"
                f" the window, the edit horizon and the lateness together are {show(needed)}"
            )
        return self

    @model_validator(mode="after")
    def _lexicons_need_scope(self) -> "Settings":
        if self.text.channel_lexicons and self.matching.scope != "channel":
            raise ValueError(
                "text.channel_lexicons weighs words by channel, so copies in two channels would"
                ' get different fingerprints: set matching.scope = "channel" as well'
            )
        return self


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings in force, and for each that was set the place that set it."""

    settings: Settings
    origins: Mapping[str, str]


def load(
    file: Path | None = None,
    overrides: Iterable[tuple[str, str, str]] = (),
    environment: Mapping[str, str] = os.environ,
) -> Loaded:
    """Read the settings.

    ``file`` defaults to ``leitong.toml`` if that is there. ``overrides`` are
    ``(dotted key, value as text, origin)``, the last one winning. Raises SettingsError
    with the key, its origin and what is wrong.
    """
    tree: dict[str, Any] = {}
    origins: dict[str, str] = {}
    path = file or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    if path:
        tree = _read(path)
        origins.update(dict.fromkeys(_leaves(tree), str(path)))
    for name, value in sorted(environment.items()):
        if name.startswith(ENVIRONMENT_PREFIX) and "__" in name:
            group, _, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
            if group == "kafka":
                # Its names have dots, which a shell does not take, and no underscores.
                key = key.replace("_", ".")
            _set(tree, origins, f"{group}.{key}", value, f"environment {name}")
    for key, value, origin in overrides:
        _refuse_shown_secret(key, origin)
        _set(tree, origins, key, value, origin)
    try:
        return Loaded(Settings.model_validate(tree), origins)
    except ValidationError as error:
        raise SettingsError(_explain(error, origins)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such settings file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not a TOML file: {error}") from None
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None


def _set(tree: dict[str, Any], origins: dict[str, str], key: str, text: str, origin: str) -> None:
    group, dot, name = key.partition(".")
    if not dot or not name:
        raise SettingsError(f"{origin}: write GROUP.KEY=VALUE, for example matching.k=2")
    table = tree.setdefault(group, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{origin}: {group} is no group of settings")
    found = _value(text)
    # A password may look like a number, and must not become another one.
    table[name] = text if group == "kafka" and not isinstance(found, str | dict) else found
    origins[key] = origin


def _refuse_shown_secret(key: str, origin: str) -> None:
    group, _, name = key.partition(".")
    if group == "kafka" and not is_harmless(name):
        raise SettingsError(
            f"{origin}: {key}: may be a secret, and everybody on this machine can read a command"
            f' line; write it into the settings file, as "{name}" = {{file = "PATH"}}, or set'
            f" {ENVIRONMENT_PREFIX}KAFKA__{name.upper().replace('.', '_')}"
        )


def _value(text: str) -> Any:
    """Read text as TOML would; what is no TOML value is the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _leaves(tree: Mapping[str, Any]) -> list[str]:
    return [
        f"{group}.{key}" if isinstance(table, dict) else group
        for group, table in tree.items()
        for key in (table if isinstance(table, dict) else (None,))
    ]


def _explain(error: ValidationError, origins: Mapping[str, str]) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        origin = _origin(key, origins)
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, _known_keys(), n=1, cutoff=0.0)
            message = f"no such setting; did you mean {near[0]}?"
        lines.append(f"{origin}: {key}: {message}" if key else f"{origin}: {message}")
    return "\n".join(lines)


def _origin(key: str, origins: Mapping[str, str]) -> str:
    """Name the place that set a key; for a whole group, the first place that set part of it."""
    group, _, rest = key.partition(".")
    name = rest.partition(".")[0]
    inside = (place for known, place in origins.items() if known.partition(".")[0] == group)
    return origins.get(f"{group}.{name}") or next(inside, "the settings")


def _known_keys() -> list[str]:
    keys = []
    for group, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys += [f"{group}.{name}" for name in kind.model_fields]
        else:
            keys.append(group)
    return keys
