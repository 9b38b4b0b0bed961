"""What training runs on the executors, as functions over Arrow batches.

Each takes what it needs as plain values, because it travels to the workers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from struct import Struct
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark import Broadcast

from streaming.enrichment import position_of
from streaming.events import Event, parser_of
from streaming.filelog import LogRecord
from streaming.kinds import Kind
from streaming.query.shipping import tables_at_hand
from streaming.reasons import Reason, Rejected
from streaming.settings import Settings
from streaming.similar.description import rounded
from streaming.similar.tables import Tables
from streaming.similar.words import Method, WordHashes, counted, keywords
from streaming.store import articles, keys
from streaming.store.opening import open_index
from streaming.text.loading import load_stop_words
from streaming.text.pipeline import TextPipeline
from streaming.text.settings import TextSettings
from streaming.texts import current_texts

CONTENTS = (
    "article STRING, position BINARY, live BOOLEAN, channel STRING, title STRING, body STRING,"
    " reason STRING"
)
"""What an event says of an article; or, with a ``reason``, that a record is no event."""

WORDS = "article STRING, channel STRING, title ARRAY<STRING>, body ARRAY<STRING>"
"""The counted words of an article's current content."""

COUNTS = "channel STRING, word STRING, occurrences BIGINT, having BIGINT"
SUMS = "articles BIGINT, total ARRAY<BIGINT>"
VECTORS = "article STRING, vector ARRAY<SMALLINT>"

Task = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]

_PLACE = Struct(">IQQ")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ROWS = 500
_SALTS = 256
_WORDS_AT_ONCE = 500_000
_SCHEMAS = {
    CONTENTS: pa.schema(
        [
            ("article", pa.string()),
            ("position", pa.binary()),
            ("live", pa.bool_()),
            ("channel", pa.string()),
            ("title", pa.string()),
            ("body", pa.string()),
            ("reason", pa.string()),
        ]
    ),
    WORDS: pa.schema(
        [
            ("article", pa.string()),
            ("channel", pa.string()),
            ("title", pa.list_(pa.string())),
            ("body", pa.list_(pa.string())),
        ]
    ),
    COUNTS: pa.schema(
        [
            ("channel", pa.string()),
            ("word", pa.string()),
            ("occurrences", pa.int64()),
            ("having", pa.int64()),
        ]
    ),
    SUMS: pa.schema([("articles", pa.int64()), ("total", pa.list_(pa.int64()))]),
    VECTORS: pa.schema([("article", pa.string()), ("vector", pa.list_(pa.int16()))]),
}


def lines_task(settings: Settings) -> Task:
    """Lines (``file, block, value``) in the order of their file to `CONTENTS`."""
    parser = parser_of(settings)

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        lines: Counter[tuple[int, int]] = Counter()
        for batch in batches:
            rows = []
            columns = (batch.column(name).to_pylist() for name in ("file", "block", "value"))
            for file, block, value in zip(*columns, strict=True):
                row = lines[file, block]
                lines[file, block] += 1
                line = value.removeprefix(_BYTE_ORDER_MARK).strip()
                if line:
                    rows.append(_content(_place(file, block, row), parser.parse(line)))
            yield _batch(CONTENTS, filter(None, rows))

    return run


def records_task(settings: Settings) -> Task:
    """Records of a log, with the columns of its source, to `CONTENTS`."""
    parser = parser_of(settings)

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = []
            for row in batch.to_pylist():
                headers = [(each["key"], each["value"]) for each in row.pop("headers") or ()]
                record = LogRecord(**row, headers=tuple(headers))
                event = parser.parse(record.value, record.key, record.headers)
                rows.append(_content(position_of(record), event))
            yield _batch(CONTENTS, filter(None, rows))

    return run


def stored_task(settings: Settings) -> Task:
    """Salts (``id``) to the `CONTENTS` of the articles of the index whose keys begin with them.

    The texts are normalised. An article without a text has the reason ``empty_text``.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store = open_index(settings)
        for batch in batches:
            for salt in batch.column("id").to_pylist():
                stop = bytes((salt + 1,)) if salt + 1 < _SALTS else None
                found = store.scan(articles.TABLE, bytes((salt,)), stop)
                rows = ((keys.article_of(key), articles.decode(cells)) for key, cells in found)
                live = ((name, row) for name, row in rows if row.current is not None)
                for chunk in _chunks(live):
                    yield _batch(CONTENTS, _stored(store, dict(chunk)))

    return run


def words_task(text: TextSettings, *, normalised: bool) -> Task:
    """Contents (``article, channel, title, body``) to `WORDS`; those without any are left out."""
    encoded = text.model_dump_json()

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        pipeline, stop_words = _cutter(encoded)

        def words(passage: str) -> list[str]:
            tokens = pipeline.words(passage, normalised=normalised)
            return [word for token in tokens if (word := counted(token, stop_words))]

        for batch in batches:
            rows = []
            for row in batch.to_pylist():
                title, body = words(row["title"]), words(row["body"])
                if title or body:
                    rows.append(row | {"title": title, "body": body})
            yield _batch(WORDS, rows)

    return run


def counts_task() -> Task:
    """`WORDS` to `COUNTS`, of each task by itself: they are to be added up."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        occurrences: Counter[tuple[str, str]] = Counter()
        having: Counter[tuple[str, str]] = Counter()
        for batch in batches:
            for row in batch.to_pylist():
                channel, words = row["channel"], row["title"] + row["body"]
                occurrences.update((channel, word) for word in words)
                having.update((channel, word) for word in set(words))
            if len(having) > _WORDS_AT_ONCE:
                yield _counted(occurrences, having)
                occurrences.clear()
                having.clear()
        yield _counted(occurrences, having)

    return run


def sums_task(tables: Broadcast[Tables], method: Method) -> Task:
    """`WORDS` to `SUMS` of the unit vectors; whole numbers, so that order is no matter."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model, hashes = tables.value, WordHashes()
        total, articles = np.zeros(model.dimensions, np.int64), 0
        for batch in batches:
            for row in batch.to_pylist():
                kept = keywords(
                    hashes.of(row["title"]), hashes.of(row["body"]), model.rarity, method
                )
                unit = model.unit(kept)
                if unit is not None:
                    total += rounded(unit)
                    articles += 1
        yield _batch(SUMS, [{"articles": articles, "total": total.tolist()}])

    return run


def vectors_task(tables: Broadcast[Tables], method: Method) -> Task:
    """`WORDS` to `VECTORS` as articles are described; those without a vector are left out."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model, hashes = tables.value, WordHashes()
        for batch in batches:
            rows = []
            for row in batch.to_pylist():
                title, body = hashes.of(row["title"]), hashes.of(row["body"])
                vector = model.describe(title, body, method).vector
                if vector.any():
                    rows.append({"article": row["article"], "vector": vector.tolist()})
            yield _batch(VECTORS, rows)

    return run


@lru_cache(maxsize=1)
def _cutter(settings: str) -> tuple[TextPipeline, frozenset[str]]:
    """Keep the dictionaries in the worker."""
    text = tables_at_hand(TextSettings.model_validate_json(settings))
    return TextPipeline(text), load_stop_words(text)


def _place(file: int, block: int, row: int) -> bytes:
    """Give the position of a line; they sort like the lines."""
    return _PLACE.pack(file, block, row)


def _content(position: bytes, event: Event | Rejected) -> dict[str, Any] | None:
    """Give the row of an event; None for what editors say, which changes no text."""
    if isinstance(event, Rejected):
        return {"reason": event.reason.value}
    if event.kind.is_override:
        return None
    return {
        "article": event.article_id,
        "position": position,
        "live": event.kind is not Kind.DELETED,
        "channel": event.channel,
        "title": event.title,
        "body": event.body,
    }


def _stored(store: Any, rows: dict[str, articles.ArticleRow]) -> Iterator[dict[str, Any]]:
    texts = current_texts(store, rows)
    for name, row in rows.items():
        text, content = texts.get(name), row.current
        if text is None or content is None:
            yield {"reason": Reason.EMPTY_TEXT.value}
            continue
        yield {
            "article": name,
            "position": row.current_position,
            "live": True,
            "channel": content.channel,
            "title": text.title,
            "body": text.body,
        }


def _counted(
    occurrences: Counter[tuple[str, str]], having: Counter[tuple[str, str]]
) -> pa.RecordBatch:
    rows = (
        {"channel": channel, "word": word, "occurrences": occurrences[channel, word], "having": n}
        for (channel, word), n in having.items()
    )
    return _batch(COUNTS, rows)


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _batch(schema: str, rows: Iterable[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=_SCHEMAS[schema])
