"""An index of any size: what generated articles would have put, written in the order of the rows.

A generated article has a fingerprint of a crowd like that of the real ones, and as many shingle
keys as a real one that it is modelled on. Of those keys the ones that many articles carry
(boilerplate) are kept, so that they grow as hot as in a newsroom; all others are of its own. Its
evidence is that of a brief real article: ten million of full length would fill a disk without
being read.

The rows are those that `streaming.engine.put` writes, which a test sees to.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streaming.matching.content import Content, Key, Tier, packed, unpacked
from streaming.matching.rules import Rules
from streaming.offline.crowd import fit
from streaming.offline.plan_profile import default_profile
from streaming.position import Position, encode
from streaming.store import articles, keys
from streaming.store.contract import Mutation, Store
from streaming.store.index import BANDS, HEADS, Index

Octets = NDArray[np.uint8]
Fingerprints = NDArray[np.uint64]


class Cell(NamedTuple):
    """One cell on its way into a table."""

    row: bytes
    qualifier: bytes
    value: bytes


Load = Callable[[str, Iterable[Cell]], None]
"""Takes the cells of a table, nearly in the order of its rows."""

START_MS = 1_700_000_000_000
SPAN_MS = 60 * 86_400_000
"""Generated articles lie this far apart at most, all of them within a window of 90 days."""

_BOILERPLATE = 10
"""So many of the real articles carry a key that is kept."""
_BRIEF_BYTES = 700
_AT_ONCE = 1 << 17
_POLYNOMIAL = np.uint32(0xEDB88320)


@dataclass(frozen=True)
class Generated:
    """Articles by number: fingerprints of shape ``(n,)``, and of all shingle keys, in the order
    of the articles, value and article, of shape ``(m,)``; those of article ``i`` begin at
    ``begins[i]`` and end before ``begins[i + 1]``."""

    fingerprints: Fingerprints
    values: NDArray[np.uint64]
    owners: NDArray[np.uint32]
    begins: NDArray[np.int64]
    hot: frozenset[int]
    evidence: Sequence[bytes]

    def name(self, number: int) -> str:
        return f"generated/{number:09d}"

    def first(self, number: int) -> Position:
        step = SPAN_MS / len(self.fingerprints)
        return encode(START_MS + int(number * step), "articles", 0, number)

    def content(self, number: int) -> Content:
        own = self.values[self.begins[number] : self.begins[number + 1]]
        return Content(
            "generated",
            "",
            int(self.fingerprints[number]),
            None,
            packed(set(own.tolist())),
            self.evidence[number % len(self.evidence)],
        )


def crowd(count: int, seed: int) -> Fingerprints:
    """Draw fingerprints, shape ``(count,)``, that share bands as often as those of strangers do."""
    return fit(default_profile().crowding["newsroom"]).draw(count, seed=seed)


def generate(real: Sequence[Content], count: int, seed: int) -> Generated:
    """Generate ``count`` articles like these; the same for the same seed."""
    random = np.random.default_rng(seed)
    keys_of = [unpacked(content.shingles) for content in real]
    carried = Counter(value for keys in keys_of for value in keys)
    hot = frozenset(value for value, often in carried.items() if often >= _BOILERPLATE)
    lengths = np.array([len(keys) for keys in keys_of])
    flat = np.array([v for keys in keys_of for v in keys], dtype=np.uint64)
    kept = np.array([v in hot for keys in keys_of for v in keys])
    starts = np.concatenate(([0], np.cumsum(lengths)))
    models = random.integers(0, len(real), count)
    begins = np.concatenate(([0], np.cumsum(lengths[models])))
    owners = np.repeat(np.arange(count, dtype=np.uint32), lengths[models])
    places = np.arange(begins[-1]) + np.repeat(starts[models] - begins[:-1], lengths[models])
    own = random.integers(0, 1 << 64, len(places), dtype=np.uint64)
    values = np.where(kept[places], flat[places], own)
    brief = [c.evidence for c in real if len(c.evidence) <= _BRIEF_BYTES] or [b""]
    return Generated(crowd(count, seed), values, owners, begins, hot, brief)


def fill(store: Store, rules: Rules, generated: Generated, load: Load | None = None) -> None:
    """Write the rows of generated articles; by default through the store."""
    load = load or through(store)
    load(articles.TABLE, _article_cells(generated))
    load(BANDS, band_cells(rules, generated.fingerprints))
    everyone = np.arange(len(generated.fingerprints), dtype=np.uint32)
    entries = _entries(generated)
    load(HEADS, _head_cells(Tier.SIMHASH, generated.fingerprints, everyone, entries))
    if rules.shingles:
        load(HEADS, _head_cells(Tier.SHINGLE, generated.values, generated.owners, entries))
        index = Index(store, rules)
        for value in generated.hot:
            # As every micro-batch does that meets a head which outgrew its size.
            heads = index.heads([Key("", Tier.SHINGLE, value)])
            index.move_surplus(
                {key: h for key, h in heads.items() if len(h.entries) > index.head_size}
            )


def through(store: Store) -> Load:
    """Write cells as the query does."""

    def load(table: str, cells: Iterable[Cell]) -> None:
        store.mutate(table, (Mutation(row, {name: value}) for row, name, value in cells))

    return load


def into_sqlite(store: Store, file: Path) -> Load:
    """Write cells into the file of a store several times as fast, safe from nothing.

    For tables that hold none of them yet.
    """

    def load(table: str, cells: Iterable[Cell]) -> None:
        store.close()
        connection = sqlite3.connect(file, isolation_level=None)
        try:
            for pragma in ("journal_mode = OFF", "synchronous = OFF"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("BEGIN")
            # Among millions some fingerprints are equal.
            sql = f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?, unixepoch())"  # noqa: S608 - a constant
            connection.executemany(sql, cells)
            connection.execute("COMMIT")
        finally:
            connection.close()

    return load


def _article_cells(generated: Generated) -> Iterator[Cell]:
    count = len(generated.fingerprints)
    salts = np.array([keys.article(generated.name(number))[0] for number in range(count)])
    for number in np.argsort(salts, kind="stable").tolist():
        contents = {generated.first(number): generated.content(number)}
        made = articles.events_of(generated.name(number), articles.ArticleRow(contents))
        for qualifier, value in made.put.items():
            yield Cell(made.row, qualifier, value)


def band_cells(rules: Rules, fingerprints: Fingerprints) -> Iterator[Cell]:
    scheme = rules.bands
    bands = np.empty((len(fingerprints), scheme.bands, scheme.key_bytes), dtype=np.uint8)
    for begin in range(0, len(fingerprints), _AT_ONCE):
        some = scheme.keys_batch(fingerprints[begin : begin + _AT_ONCE])
        joined = b"".join(key for of_one in some for key in of_one)
        bands[begin : begin + len(some)] = np.frombuffer(joined, np.uint8).reshape(
            -1, *bands.shape[1:]
        )
    rows = _rows(Tier.SIMHASH, bands.reshape(-1, scheme.key_bytes))
    for places in _in_order(rows):
        values = fingerprints[places // scheme.bands].astype(">u8")
        for row, value in zip(_listed(rows[places]), _listed(_octets(values)), strict=True):
            yield Cell(row, value, b"")


def _head_cells(
    tier: Tier, values: NDArray[np.uint64], owners: NDArray[np.uint32], entries: Octets
) -> Iterator[Cell]:
    rows = _rows(tier, _octets(values.astype(">u8")))
    for places in _in_order(rows):
        of_owners = _listed(entries[owners[places]])
        for row, entry in zip(_listed(rows[places]), of_owners, strict=True):
            yield Cell(row, entry, b"")


def _entries(generated: Generated) -> Octets:
    """Give the qualifier of each article's entries, shape ``(n, bytes)``: all are as long."""
    count = len(generated.fingerprints)
    joined = bytearray()
    for number in range(count):
        joined += keys.ENTRY + keys.entry(generated.first(number), generated.name(number))
    return np.frombuffer(joined, dtype=np.uint8).reshape(count, -1)


def _rows(tier: Tier, values: Octets) -> Octets:
    """Give the rows of keys without a scope: see `keys.head` and `keys.band`."""
    rows = np.empty((len(values), 3 + values.shape[1]), dtype=np.uint8)
    rows[:, 1:3] = 0, tier
    rows[:, 3:] = values
    for begin in range(0, len(rows), _AT_ONCE):
        some = rows[begin : begin + _AT_ONCE]
        some[:, 0] = _checksums(some[:, 1:])
    return rows


def _in_order(rows: Octets) -> Iterator[NDArray[np.int64]]:
    """Give where rows lie that follow each other, nearly: what few differ in does not count."""
    first = np.zeros((len(rows), 8), dtype=np.uint8)
    wide = min(9, rows.shape[1])
    # Between them are the scope, which is empty, and the tier.
    first[:, 0], first[:, 1 : wide - 2] = rows[:, 0], rows[:, 3:wide]
    order = np.argsort(first.view(">u8")[:, 0].astype(np.uint64))
    for begin in range(0, len(order), _AT_ONCE):
        yield order[begin : begin + _AT_ONCE]


def _octets(values: NDArray[np.uint64]) -> Octets:
    return values.view(np.uint8).reshape(-1, 8)


def _listed(octets: Octets) -> list[bytes]:
    joined, size = octets.tobytes(), octets.shape[1]
    return [joined[at : at + size] for at in range(0, len(joined), size)]


def _checksums(values: Octets) -> Octets:
    """Give the lowest byte of the CRC-32 of each row, as `zlib.crc32` would."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ _POLYNOMIAL, table >> 1).astype(np.uint32)
    sums = np.full(len(values), 0xFFFFFFFF, dtype=np.uint32)
    for column in values.T:
        sums = sums >> np.uint32(8) ^ table[(sums ^ column) & np.uint32(0xFF)]
    return (~sums & np.uint32(0xFF)).astype(np.uint8)
