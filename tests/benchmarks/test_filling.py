"""What fills an index for a benchmark writes what the query would have written."""

import zlib
from collections import Counter
from pathlib import Path
from uuid import uuid4

import numpy as np

from benchmarks.filling import Generated, _checksums, fill, generate, into_sqlite
from streaming.engine.events import LoggedContent
from streaming.engine.put import put
from streaming.fingerprints.bands import BandScheme
from streaming.matching.content import Content, Key, Tier, packed, unpacked
from streaming.matching.rules import Rules
from streaming.position import at
from streaming.store.contract import Cells, Store
from streaming.store.index import Index
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES
from streaming.store.urls import open_store

BOILERPLATE = 7


def real(count: int = 400) -> list[Content]:
    random = np.random.default_rng(5)
    drawn = random.integers(0, 1 << 64, (count, 4), dtype=np.uint64).tolist()
    return [
        Content("news", "", first, None, packed((BOILERPLATE, *others)), b"evidence")
        for first, *others in drawn
    ]


def filled(rules: Rules, generated: Generated) -> Store:
    store = MemoryStore(uuid4().hex, "")
    store.ensure_tables(TABLES)
    fill(store, rules, generated)
    return store


def everything(store: Store) -> dict[str, list[tuple[bytes, Cells]]]:
    return {spec.name: list(store.scan(spec.name)) for spec in TABLES}


def test_rows_are_those_of_the_query(tmp_path: Path) -> None:
    several = (Rules(), Rules(bands=BandScheme(5, 2)), Rules(shingles=False))
    for number, rules in enumerate(several):
        generated = generate(real(), 100, 3)
        generated.fingerprints[1] = generated.fingerprints[0]
        by_query = MemoryStore(uuid4().hex, "")
        by_query.ensure_tables(TABLES)
        events = [
            LoggedContent(generated.name(n), generated.first(n), generated.content(n))
            for n in range(100)
        ]
        put(by_query, rules, events)
        assert everything(filled(rules, generated)) == everything(by_query)
        in_file = open_store(f"sqlite:{tmp_path}/{number}.db")
        in_file.ensure_tables(TABLES)
        fill(in_file, rules, generated, into_sqlite(in_file, tmp_path / f"{number}.db"))
        assert everything(in_file) == everything(by_query)


def test_hot_heads_are_moved_as_the_query_moves_them() -> None:
    rules = Rules(visible=8)
    store = filled(rules, generate(real(), 100, 3))
    hot = Key("", Tier.SHINGLE, BOILERPLATE)
    index = Index(store, rules)
    head = index.heads([hot])[hot]
    assert len(head.entries) == index.head_size
    assert len(list(index.tail(hot, b"", at(1 << 60)))) == 100 - index.head_size


def test_articles_differ_but_for_boilerplate() -> None:
    generated = generate(real(), 200, 3)
    contents = [generated.content(n) for n in range(200)]
    carried = Counter(value for each in contents for value in unpacked(each.shingles))
    assert carried.pop(BOILERPLATE) == 200
    assert set(carried.values()) == {1}
    assert np.array_equal(generated.values, generate(real(), 200, 3).values)


def test_checksums_are_those_of_zlib() -> None:
    values = np.random.default_rng(1).integers(0, 256, (50, 9), dtype=np.uint8)
    assert _checksums(values).tolist() == [zlib.crc32(row.tobytes()) & 0xFF for row in values]
