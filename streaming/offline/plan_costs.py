"""What rows and cells cost in each kind of store: bytes on disk, and time."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import orjson

_COSTS = "costs.json"


@dataclass(frozen=True, slots=True)
class Price:
    """Microseconds that a row takes, and each cell of it."""

    row: float
    cell: float

    def of(self, rows: float, cells: float) -> float:
        """Give microseconds."""
        return self.row * rows + self.cell * cells


@dataclass(frozen=True, slots=True)
class Costs:
    """Measured constants of a store.

    ``article_bytes`` are bytes on disk per article of the tables that have a row or so for
    each, ``bucket_bytes`` those of a cell of the bands by scheme, ``head_bytes`` those of a
    cell of a head. ``disk_per_raw`` relates them to the bytes of keys, qualifiers and values.
    ``read`` and ``write`` are what a client waits, one request after the other;
    ``server_read`` and ``server_write`` what the server's processor works. ``enrich_us`` and
    ``judge_us`` are what an article takes beside. ``citations`` are those of an
    article, ``content_bytes`` is the size of its content in the sample.
    """

    origin: str
    article_bytes: Mapping[str, float]
    bucket_bytes: Mapping[str, float]
    head_bytes: float
    disk_per_raw: Mapping[str, float]
    read: Price
    write: Price
    server_read: Price
    server_write: Price
    enrich_us: float
    judge_us: float
    citations: float
    content_bytes: float


def default_costs(kind: str) -> Costs:
    """Give the constants that come with the package; ``kind`` is ``sqlite`` or ``hbase``."""
    text = (resources.files("streaming.offline.data") / _COSTS).read_bytes()
    document: dict[str, Any] = orjson.loads(text)
    store = document["stores"][kind]
    return Costs(
        origin=document["origin"],
        article_bytes=store["article_bytes"],
        bucket_bytes=store["cell_bytes"]["bucket"],
        head_bytes=store["cell_bytes"]["head"],
        disk_per_raw=store["disk_per_raw"],
        read=Price(**store["read_us"]),
        write=Price(**store["write_us"]),
        server_read=Price(**store["server_read_us"]),
        server_write=Price(**store["server_write_us"]),
        enrich_us=document["enrich_us"],
        judge_us=document["judge_us"],
        citations=document["citations"],
        content_bytes=document["content_bytes"],
    )
