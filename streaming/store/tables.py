"""The tables of a generation; what they hold is told in the documentation of the data model."""

from streaming.store.contract import TableSpec

TABLES = (
    TableSpec("article"),
    TableSpec("text", large_values=True),
    TableSpec("bucket"),
    TableSpec("fingerprint"),
    TableSpec("tail"),
    TableSpec("citation"),
    TableSpec("article_similar", family="similar", salted=False),
    TableSpec("vector", salted=False),
    TableSpec("timeline", salted=False),
    TableSpec("rollup", salted=False),
    TableSpec("batch", salted=False),
    TableSpec("dead_letter", salted=False),
    TableSpec("meta", salted=False),
)
