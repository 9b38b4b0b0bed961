"""What an index of a given size takes under each band scheme: rows, bytes, gets and time.

A model, and a pure one: figures of articles (`Profile`) and of a store (`Costs`) go in, and
what is expected comes out. docs/scaling.md tells how far it was checked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np

from streaming.fingerprints.bands import BandScheme
from streaming.fingerprints.simhash import BITS
from streaming.offline.crowding import Crowding, Estimate, Shares
from streaming.offline.plan_costs import Costs
from streaming.offline.plan_profile import Profile
from streaming.offline.plan_sample import TableSize
from streaming.store.hbase_layout import DEFAULT_REGIONS

SCHEMES = (BandScheme(4, 1), BandScheme(5, 2), BandScheme(6, 3))
REGION_BYTES = 10 << 30
"""Bytes from which on HBase splits a region, unless it is told otherwise."""

_MOST_REGIONS = 256
_DRAWN = 4_096
_OWN_ROWS = 2
"""Reads of an article's own row: when it is put, and when it is judged."""
_CELLS_PER_ARTICLE = 2
_MICROSECONDS = 1e6

Kind = Literal["sqlite", "hbase"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be planned.

    ``articles`` is how many the index holds, ``in_window`` how many of them an article is
    compared with. ``near`` is the radius in bits, ``visible`` the articles seen under a key.
    """

    articles: int
    in_window: int
    scope: Literal["newsroom", "channel"]
    kind: Kind
    near: int = 3
    visible: int = 64


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, cells, bytes on disk and regions of a table; ``regions`` are 0 but in HBase."""

    rows: float
    cells: float
    bytes: float
    regions: int


@dataclass(frozen=True, slots=True)
class SchemePlan:
    """What is expected under a scheme.

    ``candidates`` are the fingerprints that the bands of an article give, ``strangers`` those
    of them that are farther than the radius, ``near`` the other fingerprints within it. ``gets``
    are the rows that are read for an article, by table, and ``cells`` the cells in them.
    ``look_up_ms`` is what the bands alone take a client per article in a batch, ``read_ms``
    and ``write_ms`` all reads and writes. ``query_rate`` are articles a second for one core of
    the query, ``server_rate`` those for one core of the servers; None if there is no server.
    """

    scheme: BandScheme
    tables: Mapping[str, Table]
    presplit: int
    candidates: Estimate
    strangers: Estimate
    near: Estimate
    gets: Mapping[str, float]
    cells: Mapping[str, float]
    look_up_ms: float
    read_ms: float
    write_ms: float
    query_rate: float
    server_rate: float | None

    @property
    def bytes(self) -> float:
        """Bytes of all tables."""
        return sum(table.bytes for table in self.tables.values())


def label_of(scheme: BandScheme) -> str:
    """Name a scheme as people do."""
    return f"{scheme.blocks} choose {scheme.chosen}"


def plan(
    question: Question,
    profile: Profile,
    costs: Costs,
    measured: Mapping[str, TableSize] | None = None,
) -> Iterator[SchemePlan]:
    """Plan for each scheme that is exact within the radius.

    ``measured`` are the tables of an index that is there, and go before the constants: of
    articles, texts and citations, and of heads.
    """
    for scheme in SCHEMES:
        if scheme.radius >= question.near:
            yield _Planner(question, profile, costs, measured or {}).plan(scheme)


@dataclass(frozen=True, slots=True)
class _Planner:
    """One plan in the making."""

    question: Question
    profile: Profile
    costs: Costs
    measured: Mapping[str, TableSize]

    def plan(self, scheme: BandScheme) -> SchemePlan:
        """See `plan`."""
        profile, question, costs = self.profile, self.question, self.costs
        crowding = profile.crowding[question.scope]
        indexed = self._fingerprints()
        candidates = crowding.candidates(scheme, indexed)
        near = crowding.near(question.near, indexed)
        gets, cells = self._reads(scheme, candidates.mean, near.mean)
        put_rows = scheme.bands + 1 + profile.keys + costs.citations + _CELLS_PER_ARTICLE + 1
        read_us = costs.read.of(sum(gets.values()), sum(cells.values()))
        write_us = costs.write.of(put_rows, put_rows)
        server_us = costs.server_read.of(sum(gets.values()), sum(cells.values()))
        server_us += costs.server_write.of(put_rows, put_rows)
        tables, presplit = self._tables(scheme, crowding, indexed)
        return SchemePlan(
            scheme=scheme,
            tables=tables,
            presplit=presplit,
            candidates=candidates,
            strangers=crowding.candidates(scheme, indexed, beyond=question.near),
            near=near,
            gets=gets,
            cells=cells,
            look_up_ms=costs.read.of(gets["bucket"], cells["bucket"]) / 1000,
            read_ms=read_us / 1000,
            write_ms=write_us / 1000,
            query_rate=_MICROSECONDS / (costs.enrich_us + costs.judge_us + read_us + write_us),
            server_rate=_MICROSECONDS / server_us if question.kind == "hbase" else None,
        )

    def _fingerprints(self) -> int:
        """Distinct ones of the index."""
        return round(self.question.articles * self.profile.fingerprinted * self.profile.distinct)

    def _reads(
        self, scheme: BandScheme, candidates: float, near: float
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Rows and cells that are read for an article, by table."""
        profile, question = self.profile, self.question
        heads = profile.keys + profile.fingerprinted * (1 + near)
        seen = profile.carriers.visible(question.in_window, question.visible) * profile.keys
        held = profile.carriers.visible(question.articles, 2 * question.visible) * profile.keys
        near_in_window = min(float(question.visible), near)
        rows = _OWN_ROWS + seen / profile.repeated + near_in_window
        gets = {"bucket": float(scheme.bands), "head": heads, "article": rows}
        cells = {
            "bucket": scheme.bands + candidates,
            "head": heads + held,
            "article": rows * _CELLS_PER_ARTICLE,
        }
        return gets, cells

    def _tables(
        self, scheme: BandScheme, crowding: Crowding, indexed: int
    ) -> tuple[dict[str, Table], int]:
        question, costs = self.question, self.costs
        cells = float(scheme.bands * indexed)
        sizes = {
            "article": self._sized("article", 1, _CELLS_PER_ARTICLE),
            "text": self._sized("text", 1, 1),
            "bucket": (
                occupied(scheme, crowding.bits, indexed),
                cells,
                cells * costs.bucket_bytes[label_of(scheme)],
            ),
            "head": self._heads(),
            "citation": self._sized("citation", costs.citations, costs.citations),
        }
        presplit = _presplit(max(size[2] for size in sizes.values()))
        in_regions = question.kind == "hbase"
        tables = {
            name: Table(rows, held, size, max(presplit, ceil(size / REGION_BYTES)) * in_regions)
            for name, (rows, held, size) in sizes.items()
        }
        return tables, presplit if in_regions else 0

    def _sized(self, name: str, rows: float, cells: float) -> tuple[float, float, float]:
        """Rows, cells and bytes of a table that has about a row for each article."""
        articles, found = self.question.articles, self.measured.get(name)
        if found is not None:
            disk = found.raw * self.costs.disk_per_raw[name]
            return found.rows * articles, found.cells * articles, disk * articles
        size = self.costs.article_bytes[name]
        if name != "citation":
            size *= self.profile.content_bytes / self.costs.content_bytes
        return rows * articles, cells * articles, size * articles

    def _heads(self) -> tuple[float, float, float]:
        """Heads and their surplus: an entry for every key of every article."""
        profile, articles = self.profile, self.question.articles
        rows = profile.keys * profile.new_keys + profile.fingerprinted * profile.distinct
        cells = profile.keys + profile.fingerprinted
        return rows * articles, cells * articles, cells * articles * self.costs.head_bytes


def occupied(scheme: BandScheme, bits: Shares, size: int) -> float:
    """Rows of buckets that ``size`` fingerprints make: values that are taken, in all bands.

    The sum of ``1 - exp(-size * p)`` over all values, as its mean over values drawn as they
    occur, each divided by how often it does; bits are taken to be independent here.
    """
    draw = np.random.default_rng(1)
    drawn = draw.random((_DRAWN, BITS)) < bits
    logs = np.where(drawn, np.log(np.maximum(bits, 1e-9)), np.log(np.maximum(1 - bits, 1e-9)))
    rows = 0.0
    for band in scheme.band_places():
        shares = np.exp(logs[:, list(band)].sum(1))
        rows += float(np.mean(-np.expm1(-size * shares) / shares))
    return rows


def _presplit(largest: float) -> int:
    """Regions to begin with: a power of two, so that each has as many salts."""
    regions = DEFAULT_REGIONS
    while regions < _MOST_REGIONS and regions * REGION_BYTES < largest:
        regions *= 2
    return regions
