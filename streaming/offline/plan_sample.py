"""A sample of a newsroom's stream, from files or from an index, for what a plan measures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streaming.matching.content import Content, unpacked
from streaming.offline.corpus import Corpus, read_corpus
from streaming.offline.crowding import MOST_COMPARED, Values
from streaming.settings import Settings
from streaming.store import articles, keys
from streaming.store.contract import Cells, Store
from streaming.store.tables import TABLES

_SALTS = 256
_MEASURED = 4_000


@dataclass(frozen=True, slots=True)
class Sample:
    """Articles in the order of the stream, of which ``every``-th is here, drawn at random.

    ``fingerprints`` are those of the articles that have one, ``channels`` theirs. ``shingles``
    and ``content_bytes``, the mean size of a content, are of all. ``timed`` is the share of
    the articles that say when they were published.
    """

    fingerprints: Values
    channels: tuple[str, ...]
    shingles: tuple[tuple[int, ...], ...]
    content_bytes: float
    every: float = 1.0
    timed: float = 1.0


@dataclass(frozen=True, slots=True)
class TableSize:
    """What a table holds per article: rows, cells, and bytes of keys, qualifiers and values."""

    rows: float
    cells: float
    raw: float


def sample_files(
    files: Sequence[Path],
    settings: Settings,
    on_progress: Callable[[Corpus], None] = lambda _corpus: None,
) -> Sample:
    """Read articles as they were first published; SourceError if there are none."""
    corpus = read_corpus(files, settings, on_progress=on_progress)
    return sample_of([article.versions[0] for article in corpus.articles])


def sample_index(store: Store) -> Sample:
    """Read articles of an index, salt by salt until there are enough; they stay in its order."""
    found: list[tuple[bytes, Content]] = []
    salt = 0
    while salt < _SALTS and len(found) < MOST_COMPARED:
        for _, row in articles.scan_part(store, salt):
            first = row.first
            content = None if first is None else row.contents[first]
            if first is not None and content is not None:
                found.append((first, content))
        salt += 1
    found.sort(key=lambda each: each[0])
    return sample_of([content for _, content in found], every=_SALTS / salt)


def sample_of(contents: Sequence[Content], every: float = 1.0) -> Sample:
    """Make a sample of the contents of a stream, in its order."""
    known = [(each.fingerprint, each.channel) for each in contents if each.fingerprint is not None]
    return Sample(
        fingerprints=np.array([fingerprint for fingerprint, _ in known], dtype=np.uint64),
        channels=tuple(channel for _, channel in known),
        shingles=tuple(unpacked(each.shingles) for each in contents),
        content_bytes=float(np.mean([len(each.encode()) for each in contents] or [0])),
        every=every,
        timed=float(np.mean([float(each.published_ms is not None) for each in contents] or [0.0])),
    )


def table_sizes(store: Store) -> dict[str, TableSize]:
    """Measure the salted tables of an index on as many salts as hold some thousand articles.

    Salts are uniform, so what the same ones hold of each table is in proportion.
    """
    salts = 0
    found = 0
    while salts < _SALTS and found < _MEASURED:
        found += sum(1 for _ in _part(store, articles.TABLE, salts))
        salts += 1
    sizes = {}
    for spec in TABLES:
        if not spec.salted or not found:
            continue
        rows = cells = raw = 0
        for salt in range(salts):
            for row, held in _part(store, spec.name, salt):
                rows, cells = rows + 1, cells + len(held)
                raw += sum(len(row) + len(name) + len(value) for name, value in held.items())
        sizes[spec.name] = TableSize(rows / found, cells / found, raw / found)
    return sizes


def _part(store: Store, table: str, salt: int) -> Iterator[tuple[bytes, Cells]]:
    prefix = bytes((salt,))
    return store.scan(table, prefix, keys.after(prefix))
