"""What each attempt at a micro-batch did, kept for readers that never touch Spark.

One row per attempt, by its token. Outside the law that the tables are a function of the log,
like everything that has to do with time.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from streaming.store import keys, ownership
from streaming.store.contract import Mutation, Store

TABLE = "batch"
_FIGURES = b"figures"
_TOKENS_OF_A_BATCH = 8
"""An attempt takes one, its statistics four; others are taken by what ranks in between."""


def write_figures(store: Store, token: int, figures: Mapping[str, Any]) -> None:
    """Keep the figures of the attempt that had this token."""
    store.mutate(TABLE, [Mutation(keys.token(token), {_FIGURES: orjson.dumps(figures)})])


def read_figures(store: Store, limit: int = 20) -> Iterator[dict[str, Any]]:
    """Read the figures of the latest attempts, the latest first.

    Only what the latest tokens can have written is read, not the whole table: there may be
    fewer than ``limit`` if many attempts ended without figures.
    """
    rows = store.scan(TABLE, ownership.token_before(store, limit * _TOKENS_OF_A_BATCH))
    found = [orjson.loads(cells[_FIGURES]) for _, cells in rows]
    yield from reversed(found[-limit:])
