"""Fill the log of a model with the articles that were judged before it was chosen.

Beside the query, which meanwhile writes what it judges into the same log, under larger
tokens: what it says of an article counts, whatever is filled in later. Then everything is
ranked, by the query, or by this program if nobody holds the index; and readers follow.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import orjson
import pyarrow as pa
from pyspark.sql import SparkSession

from streaming.engine.describe import log_rows
from streaming.enrichment import decode_text
from streaming.position import timestamp_ms
from streaming.settings import Settings
from streaming.similar.models import Handle, open_models
from streaming.store import articles, keys, ownership, similar
from streaming.store.articles import ArticleRow
from streaming.store.contract import Mutation, Store
from streaming.store.opening import open_index
from streaming.engine.put import TEXTS
from streaming.text.pipeline import TextPipeline

FILLED = "articles BIGINT"
_SALTS = 256
_PAGE = 500
_SCHEMA = pa.schema([("articles", pa.int64())])

_log = logging.getLogger(__name__)


def fill(
    spark: SparkSession,
    settings: Settings,
    model: str,
    handle: Handle,
    since: bytes,
    progress: Callable[[int, int], None],
) -> int:
    """Describe every live article of the window under a model; gives how many there were.

    ``since`` is the token from which on the model's log counts. ``progress`` is told how
    many of how many parts are done. May be repeated.
    """
    return 0
