"""How tables are laid out in HBase, whoever creates them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streaming.store.contract import TableSpec
from streaming.store.tables import FIRST_GENERATION

DEFAULT_REGIONS = 16
DEFAULT_PREFIX = "leitong_"
COMPRESSIONS = ("SNAPPY", "GZ", "NONE")
"""Tried in this order: HBase 2.4 has SNAPPY where Hadoop's native library is, and GZ always."""

_SALTS = 256
# A get reads, decodes and, unless it is cached, unpacks a block for a row of a hundred bytes: with
# HBase's own 64 KiB it costs twice as much, and saves 5 % of the disk (benchmarks/regions.py).
_BLOCK_BYTES = 16 * 1024
_LARGE_BLOCK_BYTES = 64 * 1024
# Below it a value lies with its cell, where it is read fastest: nearly all articles.
_MOB_THRESHOLD_BYTES = 100 * 1024


@dataclass(frozen=True, slots=True)
class Layout:
    """Split keys of a table, and the attributes of its family as HBase's shell names them."""

    splits: tuple[bytes, ...]
    family: str
    attributes: Mapping[str, str]


def layout(spec: TableSpec, regions: int, compression: str) -> Layout:
    """Lay out a table: salted ones in equal regions, block encoded for their similar keys.

    Blocks are small, since rows are read one by one from all over the table. Large values
    are compressed already, are stored apart if they are very large, and stay out of the block
    cache, which index rows need more.
    """
    attributes = {
        "VERSIONS": str(spec.max_versions),
        "BLOOMFILTER": "ROW",
        "DATA_BLOCK_ENCODING": "FAST_DIFF",
        "COMPRESSION": compression,
        "BLOCKSIZE": str(_BLOCK_BYTES),
    }
    if spec.ttl is not None:
        attributes["TTL"] = str(spec.ttl)
    if spec.large_values:
        attributes |= {
            "COMPRESSION": "NONE",
            "BLOCKCACHE": "false",
            "BLOCKSIZE": str(_LARGE_BLOCK_BYTES),
            "IS_MOB": "true",
            "MOB_THRESHOLD": str(_MOB_THRESHOLD_BYTES),
        }
    return Layout(splits(regions) if spec.salted else (), spec.family, attributes)


def splits(regions: int) -> tuple[bytes, ...]:
    """First bytes at which ``regions`` equal parts of the salts begin, without the first part."""
    return tuple(bytes((part * _SALTS // regions,)) for part in range(1, regions))


def ddl(
    beside: Sequence[TableSpec],
    inside: Sequence[TableSpec],
    prefix: str = DEFAULT_PREFIX,
    generation: str = FIRST_GENERATION,
    regions: int = DEFAULT_REGIONS,
    compression: str = COMPRESSIONS[0],
) -> str:
    """Write the script for ``hbase shell -n`` that creates the tables that are missing.

    ``inside`` are the tables of a generation, ``beside`` those that all generations share.
    """
    keys = ", ".join(_quoted(f"\\x{key[0]:02X}") for key in splits(regions))
    lines = [
        "# Creates the tables that are missing: hbase shell -n tables.rb",
        "# Written from the table specifications. The prefix is that of the store's address and",
        "# an underscore; servers without SNAPPY take GZ.",
        f"prefix = {_quoted(prefix)}",
        f"generation = {_quoted(generation)}",
        f"compression = {_quoted(compression)}",
        f"salts = [{keys}]",
        "existing = list",
        "",
    ]
    named = [(f"prefix + {_quoted(spec.name)}", spec) for spec in beside]
    named += [(f"prefix + generation + {_quoted(f'_{spec.name}')}", spec) for spec in inside]
    for name, spec in named:
        made = layout(spec, regions, compression)
        family = ",\n          ".join(
            f"{key} => {'compression' if value == compression else _quoted(value)}"
            for key, value in (("NAME", made.family), *made.attributes.items())
        )
        split = ", SPLITS => salts" if made.splits else ""
        lines.append(
            f"create({name},\n         {{{family}}}{split}) unless existing.include?({name})\n"
        )
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return f"'{text}'"
