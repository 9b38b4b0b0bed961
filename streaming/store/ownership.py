"""What one index knows of its attempts: the settings stamp, tokens, and how far it has seen.

Kept in the ``meta`` table of a generation and changed only by compare-and-put or in cells
of one's own, so that a predecessor that still lives cannot take anything back.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from streaming.errors import SettingsError
from streaming.position import Position
from streaming.store import keys
from streaming.store.contract import Mutation, Store

META = "meta"
_ROW = b"index"
_STAMP, _TOKEN = b"stamp", b"token"
_MARKS = b"marks"
_NAME_BYTES = 8
_NONCE_BITS = 24

Stamp = Mapping[str, Any]
"""Everything that is frozen for a generation: settings, versions, checksums."""


def next_token(store: Store) -> bytes:
    """Take a token larger than any taken before; 8 bytes that sort like the number.

    Its low bits are random: two contenders who offered the same value would both be told
    that they won.
    """
    while True:
        known = _cell(store, _TOKEN)
        count = (int.from_bytes(known) >> _NONCE_BITS) + 1 if known else 1
        token = keys.token(count << _NONCE_BITS | secrets.randbits(_NONCE_BITS))
        if store.compare_and_put(META, _ROW, _TOKEN, known, token):
            return token


def token_before(store: Store, attempts: int) -> bytes:
    """Give a token below the ``attempts`` that were taken last, as a bound for scans."""
    known = _cell(store, _TOKEN)
    count = (int.from_bytes(known) >> _NONCE_BITS) + 1 if known else 1
    return keys.token(max(0, count - attempts) << _NONCE_BITS)


@dataclass(frozen=True, slots=True)
class Entrance:
    """An attempt that announced itself: its name, and the mark that it found."""

    name: bytes
    found: bytes | None


def enter(store: Store, top: bytes | None) -> Entrance:
    """Announce that positions up to ``top`` are about to be put.

    To be called before the first put. The mark of an index is the largest position that
    anybody may have put; each attempt notes its own in a cell of its own, because one that
    works beside another must be able to tell the other's from its own. A cell takes over
    what it found, so the older ones can go.
    """
    cells = store.rows(META, [_MARKS]).get(_MARKS, {})
    found = max(cells.values(), default=None)
    name = secrets.token_bytes(_NAME_BYTES)
    if top is not None:
        raised = top if found is None else max(top, found)
        store.mutate(META, [Mutation(_MARKS, {name: raised}, tuple(cells))])
    return Entrance(name, found)


def mark_beside(store: Store, entrance: Entrance) -> bytes | None:
    """Give the largest position that anybody but this attempt may have put by now.

    To be called after the last put: whoever judged without seeing it was announced before.
    """
    cells = store.rows(META, [_MARKS]).get(_MARKS, {})
    others = [position for name, position in cells.items() if name != entrance.name]
    return max([*others, entrance.found or b""]) or None


def latest(store: Store) -> Position | None:
    """Give the largest position that anybody may have put by now; None before the first."""
    cells = store.rows(META, [_MARKS]).get(_MARKS, {})
    return Position(max(cells.values())) if cells else None


def read_stamp(store: Store) -> dict[str, Any] | None:
    """Give the stamp of the generation; None if nothing was written into it yet."""
    cell = _cell(store, _STAMP)
    return orjson.loads(cell) if cell else None


def claim(store: Store, stamp: Stamp) -> None:
    """Stamp a fresh generation, or make sure that it bears this very stamp.

    Raises SettingsError that names every difference.
    """
    encoded = orjson.dumps(stamp, option=orjson.OPT_SORT_KEYS)
    if not store.compare_and_put(META, _ROW, _STAMP, None, encoded):
        confirm(store, stamp)


def confirm(store: Store, stamp: Stamp) -> None:
    """Make sure that a generation bears this very stamp; writes nothing.

    Raises SettingsError that names every difference, or says that nothing is in it yet.
    """
    stored = read_stamp(store)
    if stored is None:
        raise SettingsError("there is nothing in the index yet: leitong run fills it")
    differences = compare(stored, orjson.loads(orjson.dumps(stamp)))
    if differences:
        raise SettingsError(
            "the index was built under other settings, and verdicts made under two would not"
            " agree:\n  "
            + "\n  ".join(differences)
            + "\nset them back, or build a new generation under these beside it:"
            " leitong replay --into NAME"
        )


def compare(
    stored: Stamp, wanted: Stamp, where: tuple[str, str] = ("in the index", "now")
) -> list[str]:
    """Say in one line each where two stamps differ; ``where`` says whose each of them is."""
    return [
        f"{name}: {_show(stored, name)} {where[0]}, {_show(wanted, name)} {where[1]}"
        for name in differing(stored, wanted)
    ]


def differing(one: Stamp, other: Stamp) -> list[str]:
    """Give the names of what is not the same in two stamps."""
    return [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]


def _show(stamp: Stamp, name: str) -> str:
    return orjson.dumps(stamp[name]).decode() if name in stamp else "nothing"


def _cell(store: Store, qualifier: bytes) -> bytes | None:
    return store.rows(META, [_ROW]).get(_ROW, {}).get(qualifier)
