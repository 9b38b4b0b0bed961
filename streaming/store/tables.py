"""The tables of an index; what they hold is told in the documentation of the data model."""

from dataclasses import replace

from streaming.store.contract import TableSpec

FIRST_GENERATION = "main"
"""The generation that is meant as long as none was made active."""

CATALOGUE = TableSpec("generation", salted=False)
"""The one table beside all generations: which there are, and which of them is active."""

TABLES = (
    TableSpec("article"),
    TableSpec("text", large_values=True),
    TableSpec("bucket"),
    TableSpec("head"),
    TableSpec("tail"),
    TableSpec("citation"),
    TableSpec("article_similar", family="similar", salted=False),
    TableSpec("vector", salted=False),
    TableSpec("timeline", salted=False),
    TableSpec("rollup", salted=False),
    TableSpec("summary", salted=False),
    TableSpec("batch", salted=False),
    TableSpec("dead_letter", salted=False),
    TableSpec("meta", salted=False),
)
"""The tables of each generation, prefixed with its name."""

_KEPT = frozenset({"timeline", "rollup", "summary", "batch", "dead_letter", "meta"})
"""Tables that never forget: counts of a minute are made anew from all of its articles, and
the others are small or are evidence."""


def tables(retention_ms: int) -> tuple[TableSpec, ...]:
    """Give the tables of a generation that forgets after ``retention_ms``; 0 keeps everything."""
    if not retention_ms:
        return TABLES
    ttl = -(-retention_ms // 1000)
    return tuple(spec if spec.name in _KEPT else replace(spec, ttl=ttl) for spec in TABLES)
