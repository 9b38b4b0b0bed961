"""What a micro-batch runs on the executors, as functions over Arrow batches.

Each takes what it needs as plain values, because it travels to the workers, and keeps
dictionaries and connections in the worker process, which outlives the batch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import orjson
import pyarrow as pa

from streaming import announcements, deadletters
from streaming.announcements import Announcement, Message
from streaming.engine import statistics
from streaming.engine.describe import describe
from streaming.engine.events import Logged, LoggedContent, LoggedOverride, by_article
from streaming.engine.judge import Judged, judge
from streaming.engine.put import put
from streaming.engine.ranking import Ranked, rank
from streaming.enrichment import STAGE, Enricher, position_of
from streaming.events import Rejected
from streaming.filelog import LogRecord
from streaming.matching.content import Content
from streaming.matching.overrides import Override
from streaming.position import Position
from streaming.query.shipping import at_hand
from streaming.settings import Settings
from streaming.similar.models import Handle
from streaming.similar.scoring import Ranking
from streaming.similar.view import View
from streaming.store import lease
from streaming.store.contract import Store
from streaming.store.models import Log
from streaming.store.opening import open_index
from streaming.viewing import view_directory

ENRICHED = (
    "article STRING, position BINARY, content BINARY, override BINARY, text BINARY,"
    " described MAP<STRING, BINARY>, reason STRING, detail STRING, key BINARY, value BINARY,"
    " headers BINARY"
)
"""One row per record. Without a ``reason``: an event, a deletion if it has neither content nor
override. With one: a dead letter, whose ``article`` only spreads it over the tasks."""

REFUSED = "row BINARY, reason STRING"
JUDGED = (
    "article STRING, channel STRING, in_batch BOOLEAN, changed BOOLEAN, relation STRING,"
    " message BINARY, headers BINARY, said BINARY, minutes ARRAY<BIGINT>,"
    " scopes ARRAY<STRUCT<model: STRING, scope: STRING>>"
)
RANKED = "model STRING, scope STRING, articles BIGINT, waiting BOOLEAN, lists BINARY"
"""One row per scope that was ranked; ``lists`` are those of judged articles, as JSON."""

Task = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]

_CHUNK = 2_000
_SCHEMAS = {
    ENRICHED: pa.schema(
        [("article", pa.string())]
        + [(name, pa.binary()) for name in ("position", "content", "override", "text")]
        + [("described", pa.map_(pa.string(), pa.binary()))]
        + [(name, pa.string()) for name in ("reason", "detail")]
        + [(name, pa.binary()) for name in ("key", "value", "headers")]
    ),
    REFUSED: pa.schema([("row", pa.binary()), ("reason", pa.string())]),
    JUDGED: pa.schema(
        [
            ("article", pa.string()),
            ("channel", pa.string()),
            ("in_batch", pa.bool_()),
            ("changed", pa.bool_()),
            ("relation", pa.string()),
            ("message", pa.binary()),
            ("headers", pa.binary()),
            ("said", pa.binary()),
            ("minutes", pa.list_(pa.int64())),
            ("scopes", pa.list_(pa.struct([("model", pa.string()), ("scope", pa.string())]))),
        ]
    ),
    RANKED: pa.schema(
        [
            ("model", pa.string()),
            ("scope", pa.string()),
            ("articles", pa.int64()),
            ("waiting", pa.bool_()),
            ("lists", pa.binary()),
        ]
    ),
}


def enrich_task(settings: Settings, models: Mapping[str, Handle]) -> Task:
    """Records of the source to `ENRICHED`, described under these models (see `for_workers`)."""
    # Workers need not have the file, and reading a text asks for no threshold.
    encoded = settings.model_dump_json(exclude={"matching": {"thresholds_file"}})

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        enricher, here = _enricher(encoded), at_hand(models)
        for batch in batches:
            rows = batch.to_pylist()
            records = [_record(row) for row in rows]
            answers = enricher.enrich(records, here)
            yield _batch(
                ENRICHED,
                (
                    _refusal(record, answer) if isinstance(answer, Rejected) else _event(answer)
                    for record, answer in zip(records, answers, strict=True)
                ),
            )

    return run


def put_task(settings: Settings, owner: str | None) -> Task:
    """`ENRICHED` rows into the store; gives `REFUSED`, the dead letters that it wrote."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store, rules = open_index(settings), settings.matching.rules()
        for rows in _chunks(batches):
            _check(store, owner)
            events = [_logged(row) for row in rows if row["reason"] is None]
            put(store, rules, events, alone=owner is not None)
            letters = [_letter(row) for row in rows if row["reason"] is not None]
            deadletters.write(store, letters)
            yield _batch(REFUSED, ({"row": each.row, "reason": each.reason} for each in letters))

    return run


def judge_task(
    settings: Settings,
    owner: str | None,
    token: bytes,
    mark: bytes | None,
    models: Mapping[str, Ranking],
) -> Task:
    """Judge events, given as `ENRICHED` rows, and tell the models' logs; gives `JUDGED`.

    The columns of the announcement are null where there is nothing to say, or nowhere to
    say it: ``said`` tells.
    """
    announce = settings.query.verdicts is not None

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store, rules = open_index(settings), settings.matching.rules()
        for rows in _chunks(batches):
            _check(store, owner)
            events = by_article(_logged(row) for row in rows)
            judged = judge(store, rules, events, token, mark, alone=owner is not None)
            minutes = statistics.record(store, judged, token)
            scopes = describe(store, models, judged, events, token)
            answers = [
                _judged(item, announcements.due(item, token) if announce else None)
                | {"in_batch": item.article in events}
                for item in judged
            ]
            if answers:
                answers[0]["minutes"] = sorted(minutes)
                answers[0]["scopes"] = [
                    {"model": model, "scope": scope} for model, scope in sorted(scopes)
                ]
            yield _batch(JUDGED, answers)

    return run


@dataclass(frozen=True, slots=True)
class RankingJob:
    """What ranks a scope under a model: see `rank`.

    ``backlog`` is how many articles are ranked that never were.
    """

    model: str
    scope: str
    log: Log
    ranking: Ranking
    backlog: int


def rank_task(
    settings: Settings,
    owner: str | None,
    token: bytes,
    mark: bytes | None,
    jobs: Sequence[RankingJob],
) -> Task:
    """Rank scopes, given as numbers of jobs; gives `RANKED`."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store = open_index(settings)
        for batch in batches:
            for number in batch.column(0).to_pylist():
                _check(store, owner)
                job = jobs[number]
                home = view_directory(settings, job.model, job.log, job.scope)
                with View(job.ranking, home) as view:
                    ranked = rank(
                        store,
                        view,
                        job.ranking,
                        job.model,
                        job.scope,
                        token,
                        mark,
                        since=job.log.since,
                        backlog=job.backlog,
                    )
                yield _batch(RANKED, [_ranked(job, ranked)])

    return run


def _ranked(job: RankingJob, ranked: Ranked) -> dict[str, Any]:
    return {
        "model": job.model,
        "scope": job.scope,
        "articles": ranked.articles,
        "waiting": ranked.waiting,
        "lists": orjson.dumps(ranked.judged),
    }


def announcement(row: Mapping[str, Any]) -> Announcement:
    """Read the columns of an announcement in a row of `JUDGED` that has one."""
    value, headers = row["message"], row["headers"]
    message = Message(
        row["article"].encode(),
        None if value is None else bytes(value),
        tuple((name, text or b"") for name, text in deadletters.decode_headers(bytes(headers))),
    )
    return Announcement(row["article"], message, bytes(row["said"]))


def _check(store: Store, owner: str | None) -> None:
    if owner is not None:
        lease.check(store, owner)


@lru_cache(maxsize=2)
def _enricher(settings: str) -> Enricher:
    """Keep the dictionaries of one setting in the worker; tests use two at most."""
    return Enricher(Settings.model_validate_json(settings))


def _chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[list[dict[str, Any]]]:
    """Regroup rows: multi-gets want many articles, memory wants a bound."""
    rows = (row for batch in batches for row in batch.to_pylist())
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _batch(schema: str, rows: Iterable[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=_SCHEMAS[schema])


def _record(row: dict[str, Any]) -> LogRecord:
    headers = tuple((header["key"], header["value"]) for header in row["headers"] or ())
    return LogRecord(
        row["topic"],
        row["partition"],
        row["offset"],
        row["timestamp_ms"],
        row["key"],
        row["value"],
        headers,
    )


def _event(event: Logged) -> dict[str, Any]:
    row = {"article": event.article, "position": event.position}
    if isinstance(event, LoggedOverride):
        return row | {"override": event.override.encode()}
    return row | {
        "content": event.content.encode() if event.content else None,
        "text": event.text,
        "described": list(event.described.items()),
    }


def _logged(row: dict[str, Any]) -> Logged:
    content, override = row["content"], row["override"]
    if override is not None:
        position = Position(row["position"])
        return LoggedOverride(row["article"], position, Override.decode(override))
    return LoggedContent(
        row["article"],
        Position(row["position"]),
        Content.decode(content) if content is not None else None,
        row.get("text"),
        dict(row["described"] or ()),
    )


def _refusal(record: LogRecord, rejected: Rejected) -> dict[str, Any]:
    return {
        "article": f"{record.partition}/{record.offset}",
        "position": position_of(record),
        "reason": rejected.reason.value,
        "detail": rejected.detail,
        "key": record.key,
        "value": record.value,
        "headers": deadletters.encode_headers(record.headers),
    }


def _letter(row: dict[str, Any]) -> deadletters.DeadLetter:
    return deadletters.DeadLetter(
        position=Position(row["position"]),
        stage=STAGE,
        reason=row["reason"],
        detail=row["detail"],
        key=row["key"],
        value=row["value"],
        headers=deadletters.decode_headers(row["headers"]),
    )


def _judged(item: Judged, announcement: Announcement | None) -> dict[str, Any]:
    relation = item.verdict.relation if item.verdict else None
    row: dict[str, Any] = {
        "article": item.article,
        "channel": item.row.current.channel if item.row.current else None,
        "changed": item.changed,
        "relation": relation.value if relation else None,
        "minutes": [],
        "scopes": [],
    }
    if announcement:
        message = announcement.message
        row |= {
            "message": message.value,
            "headers": deadletters.encode_headers(message.headers),
            "said": announcement.said,
        }
    return row
