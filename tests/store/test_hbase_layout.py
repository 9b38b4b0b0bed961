"""How HBase's tables are laid out: in code, in the script for its shell, and in the server."""

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import StoreError
from streaming.store.contract import Mutation, TableSpec
from streaming.store.hbase import HBaseStore
from streaming.store.hbase_admin import Thrift2Admin
from streaming.store.hbase_connection import ThriftSettings
from streaming.store.hbase_layout import ddl, layout, splits
from streaming.store.sockets import Endpoint
from streaming.store.statistics import OperationStatistics
from streaming.store.tables import CATALOGUE, TABLES
from streaming.store.urls import open_store

DDL = Path(__file__).parents[2] / "deploy" / "hbase" / "tables.rb"
REGIONS = 4


def test_the_script_is_what_the_code_gives() -> None:
    assert DDL.read_text() == ddl([CATALOGUE], TABLES)


def test_the_script_makes_what_is_asked() -> None:
    inside = [TableSpec("a"), TableSpec("b", salted=False, family="f")]
    script = ddl([TableSpec("c", salted=False)], inside, "p_", "blue", 4, "GZ")
    assert r"salts = ['\x40', '\x80', '\xC0']" in script
    assert "compression = 'GZ'" in script
    assert script.count("SPLITS") == 1
    assert "prefix = 'p_'\ngeneration = 'blue'\n" in script
    assert script.index("SPLITS") < script.index("prefix + generation + '_b'")
    assert script.index("prefix + 'c'") < script.index("prefix + generation + '_a'")
    assert "NAME => 'f'" in script


@given(st.integers(1, 256))
def test_splits_are_even_and_sorted(regions: int) -> None:
    found = splits(regions)
    assert len(found) == regions - 1
    assert list(found) == sorted(set(found))
    bounds = [0, *(key[0] for key in found), 256]
    widths = [high - low for low, high in pairwise(bounds)]
    assert max(widths) - min(widths) <= 1


@pytest.fixture(scope="module")
def server(stack: Any) -> Iterator[HBaseStore]:
    """A store with all tables of the project, made as `leitong store init` makes them."""
    store = open_store(
        f"hbase://{stack.hbase}/layout?regions={REGIONS}&admin={stack.admin}",
        f"t{uuid4().hex[:12]}_",
    )
    assert isinstance(store, HBaseStore)
    store.ensure_tables(TABLES)
    yield store
    store.drop_tables(TABLES)
    store.close()


def test_the_server_has_what_was_asked(server: HBaseStore, stack: Any) -> None:
    host, port = stack.admin.split(":")
    endpoint = Endpoint(host, int(port))
    admin = Thrift2Admin((endpoint,), ThriftSettings((endpoint,)), "test")
    for spec in TABLES:
        name = server._tables.physical(spec.name)
        families = admin.attributes(name)
        assert list(families) == [spec.family]
        found = families[spec.family]
        assert found["COMPRESSION"] in {"SNAPPY", "GZ"} or spec.large_values
        wanted = layout(spec, REGIONS, found["COMPRESSION"])
        assert wanted.attributes.items() <= found.items(), spec.name
        assert found["BLOOMFILTER"] == "ROW"
        assert found["DATA_BLOCK_ENCODING"] == "FAST_DIFF"
        assert found["BLOCKSIZE"] == ("65536" if spec.large_values else "16384")
        assert _starts(server, name) == [b"", *wanted.splits], spec.name
    admin.close()
    assert server.missing_tables(TABLES) == []
    server.ensure_tables(TABLES)


def test_salted_rows_spread_over_the_regions_and_scan_in_order(server: HBaseStore) -> None:
    rnd = random.Random(5)
    rows = [rnd.randbytes(12) for _ in range(3_000)]
    server.mutate("bucket", [Mutation(row, {b"q": b""}) for row in rows])
    assert [row for row, _ in server.scan("bucket", keys_only=True)] == sorted(rows)
    bounds = [*_starts(server, server._tables.physical("bucket")), b"\xff" * 13]
    for low, high in pairwise(bounds):
        held = sum(low <= row < high for row in rows)
        assert 500 < held < 1_000
        assert sum(1 for _ in server.scan("bucket", low, high)) == held


def test_very_large_texts_are_read_back_from_where_they_are_kept(server: HBaseStore) -> None:
    text = random.Random(1).randbytes(400_000)
    server.mutate("text", [Mutation(b"r", {b"large": text, b"small": b"x"})])
    name = server._tables.physical("text").encode()
    # Writes to files what was in memory only.
    _call(server, "disableTable", name)
    _call(server, "enableTable", name)
    assert server.rows("text", [b"r"]) == {b"r": {b"large": text, b"small": b"x"}}


def test_a_disabled_table_is_named_with_its_cure(server: HBaseStore) -> None:
    name = server._tables.physical("batch").encode()
    _call(server, "disableTable", name)
    with pytest.raises(StoreError, match="`enable` it"):
        server.rows("batch", [b"r"])


def test_a_compression_that_the_server_lacks_is_named_with_its_cure(stack: Any) -> None:
    store = open_store(f"hbase://{stack.hbase}/layout?compression=lz4&admin={stack.admin}", "no_")
    spec = TableSpec("never")
    with pytest.raises(StoreError, match=r"layout_no_never.*compression=gz"):
        store.ensure_tables([spec])
    assert store.missing_tables([spec]) == ["never"]
    store.close()


def _starts(store: HBaseStore, name: str) -> list[bytes]:
    return sorted(region.startKey for region in _call(store, "getTableRegions", name.encode()))


def _call(store: HBaseStore, method: str, name: bytes) -> Any:
    return store._caller.call(
        method, lambda client, _: getattr(client, method)(name), OperationStatistics()
    )
