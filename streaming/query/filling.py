"""Fill the log of a model with the articles that were judged before it was chosen.

Done beside the query, which meanwhile writes what it judges into the same log under larger
tokens: what it says of an article counts, whatever is filled in later. Then the query ranks
everything, and readers follow the model.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice

import orjson
import pyarrow as pa
from pyspark.sql import SparkSession

from streaming.engine.describe import log_rows
from streaming.engine.put import TEXTS
from streaming.enrichment import decode_text
from streaming.position import Position, timestamp_ms
from streaming.query.shipping import at_hand, for_workers, tables_at_hand, tables_for_workers
from streaming.settings import Settings
from streaming.similar.models import Handle, Models, open_models
from streaming.store import articles, keys, ownership, similar
from streaming.store.articles import ArticleRow
from streaming.store.contract import Mutation, Store
from streaming.store.opening import open_index
from streaming.text.pipeline import TextPipeline
from streaming.text.settings import TextSettings

_FILLED = "articles BIGINT, texts BIGINT"
_SALTS = 256
_PARTS = 16
"""Tasks of the job: one per salt would take longer to begin than to end."""
_PAGE = 500
_SCHEMA = pa.schema([("articles", pa.int64()), ("texts", pa.int64())])


def fill(
    spark: SparkSession,
    settings: Settings,
    model: str,
    handle: Handle,
    since: bytes,
    progress: Callable[[int, int, int], None],
) -> tuple[int, int]:
    """Describe the live articles of the window under a model; gives how many, and of how many.

    The second figure counts those, too, whose text is no longer kept. ``since`` is the token
    from which on the model's log counts. ``progress`` is told how many of how many parts
    are done, and how many articles were described. May be repeated.
    """
    store = open_index(settings)
    # Nobody ranks under it yet: these are of another time that it was in use, and what has
    # been deleted since then would keep its list.
    similar.drop_lists(store, model)
    latest = ownership.latest(store)
    if latest is None:
        return 0, 0
    begin_ms = timestamp_ms(latest) - open_models(handle).ranking.window_ms
    brought = for_workers(spark, {model: handle})
    reading = settings.for_workers().model_copy(
        update={"text": tables_for_workers(spark, settings.text)}
    )
    task = _fill_task(reading, model, brought, since, begin_ms)
    rows = spark.range(0, _SALTS, 1, _PARTS).mapInArrow(task, _FILLED).toLocalIterator()
    described = found = 0
    for done, row in enumerate(rows, start=1):
        described, found = described + row["texts"], found + row["articles"]
        progress(done, _SALTS, described)
    return described, found


def _fill_task(
    settings: Settings, model: str, brought: Mapping[str, Handle], since: bytes, begin_ms: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    encoded = settings.text.model_dump_json()

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        store, models = open_index(settings), open_models(at_hand(brought)[model])
        for batch in batches:
            for salt in batch.column(0).to_pylist():
                counted = {"articles": 0, "texts": 0}
                rows = articles.scan_part(store, salt)
                wanted = ((name, row) for name, row in rows if _is_wanted(row, begin_ms))
                while page := dict(islice(wanted, _PAGE)):
                    counted["articles"] += len(page)
                    counted["texts"] += _fill_page(
                        store, models, _pipeline(encoded), model, since, page
                    )
                yield pa.RecordBatch.from_pylist([counted], schema=_SCHEMA)

    return run


def _is_wanted(row: ArticleRow, begin_ms: int) -> bool:
    if row.first is None or row.current is None or row.verdict is None:
        return False
    return timestamp_ms(row.first) >= begin_ms


def _fill_page(
    store: Store,
    models: Models,
    pipeline: TextPipeline,
    model: str,
    since: bytes,
    page: Mapping[str, ArticleRow],
) -> int:
    cells = store.rows(TEXTS, [keys.article(name) for name in page])
    texts: dict[str, tuple[str, Position, bytes]] = {}
    for name, row in page.items():
        position, content = row.current_position, row.current
        cell = cells.get(keys.article(name), {}).get(position or b"")
        if position is not None and content is not None and cell is not None:
            texts[name] = content.channel, position, cell
    words = []
    for channel, _, cell in texts.values():
        title, body = decode_text(cell)
        words.append(
            (
                channel,
                pipeline.words(title, normalised=True),
                pipeline.words(body, normalised=True),
            )
        )
    described = zip(texts.items(), models.describe(words), strict=True)
    mutations: list[Mutation] = []
    for (name, (_, position, _)), description in described:
        row = page[name]
        story = orjson.loads(row.verdict or b"{}").get("duplicate_of")
        by_position = {position: description.encode()}
        mutations += log_rows(name, row, story, by_position, model, models.ranking, since).values()
    store.mutate(similar.LOG, mutations)
    return len(texts)


@lru_cache(maxsize=2)
def _pipeline(encoded: str) -> TextPipeline:
    return TextPipeline(tables_at_hand(TextSettings.model_validate_json(encoded)))
