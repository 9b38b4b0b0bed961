"""A local HBase for a benchmark, and how much its tables take on disk."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import happybase

from streaming.stack.settings import Options
from streaming.stack.stack import LocalStack
from streaming.store.tables import TABLES

_SETTLED_SECONDS = 2.0


@contextmanager
def hbase(directory: Path, options: Options | None = None) -> Iterator[LocalStack]:
    """Start HBase alone, on free ports of loopback, and remove it with all its data."""
    stack = LocalStack(directory / "stack", LocalStack.free_ports(), options)
    try:
        stack.up(kafka=False)
        yield stack
    finally:
        stack.down(erase=True)


def compact(stack: LocalStack, table: str) -> None:
    """Write what is in memory only, and make one file of those of each region."""
    connection = happybase.Connection("127.0.0.1", stack.ports.thrift, timeout=600_000)
    try:
        # A table that is disabled has been flushed.
        connection.disable_table(table)
        connection.enable_table(table)
        connection.compact_table(table, major=True)
        files = table_directory(stack, table)
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < _SETTLED_SECONDS:
            time.sleep(_SETTLED_SECONDS / 10)
            now = store_bytes(files)
            if now != seen or any(files.glob("*/.tmp/*/*")):
                seen, since = now, time.monotonic()
    finally:
        connection.close()


def table_directory(stack: LocalStack, table: str) -> Path:
    """Where HBase keeps a table of the default namespace."""
    return stack.directory / "hbase" / "data" / "hbase" / "data" / "default" / table


def store_bytes(table: Path) -> int:
    """Bytes of the store files of a table's regions, and of what it keeps apart from them."""
    mob = table.parents[2] / "mobdir" / "data" / "default" / table.name
    return sum(
        file.stat().st_size
        for place in (table, mob)
        for file in place.glob("*/*/*")
        if file.is_file()
        and not file.name.startswith(".")
        and file.parent.name != "recovered.edits"
    )


def bytes_of_tables(stack: LocalStack, prefix: str) -> dict[str, int]:
    """Bytes on disk of each table with this prefix, after compaction."""
    told = {}
    for spec in TABLES:
        name = f"{prefix}_{spec.name}"
        compact(stack, name)
        told[spec.name] = store_bytes(table_directory(stack, name))
    return told
