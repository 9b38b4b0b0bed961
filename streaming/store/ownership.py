"""What one index knows of its attempts: the settings stamp, tokens, and how far it has seen.

Kept in the ``meta`` table of a generation and changed by compare-and-put only, so that a
predecessor that still lives cannot take anything back.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from streaming.errors import SettingsError
from streaming.store import keys
from streaming.store.contract import Store

META = "meta"
_ROW = b"index"
_STAMP, _TOKEN, _MARK = b"stamp", b"token", b"mark"
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


def mark(store: Store) -> bytes | None:
    """Give the largest position that any batch so far may have put; None before the first."""
    return _cell(store, _MARK)


def raise_mark(store: Store, position: bytes) -> None:
    """Raise the mark to ``position``; it never goes down.

    To be called before a batch's first put, with the batch's largest position: a batch
    that dies half way must find itself below the mark when it comes again.
    """
    while True:
        known = _cell(store, _MARK)
        if known is not None and known >= position:
            return
        if store.compare_and_put(META, _ROW, _MARK, known, position):
            return


def read_stamp(store: Store) -> dict[str, Any] | None:
    """Give the stamp of the generation; None if nothing was written into it yet."""
    cell = _cell(store, _STAMP)
    return orjson.loads(cell) if cell else None


def claim(store: Store, stamp: Stamp) -> None:
    """Stamp a fresh generation, or make sure that it bears this very stamp.

    Raises SettingsError that names every difference.
    """
    encoded = orjson.dumps(stamp, option=orjson.OPT_SORT_KEYS)
    if store.compare_and_put(META, _ROW, _STAMP, None, encoded):
        return
    differences = compare(read_stamp(store) or {}, orjson.loads(encoded))
    if differences:
        raise SettingsError(
            "the index was built under other settings, and verdicts made under two would not"
            " agree:\n  "
            + "\n  ".join(differences)
            + "\nset them back, or build a new index with --set store.generation=NAME and replay"
            " the log into it"
        )


def compare(stored: Stamp, wanted: Stamp) -> list[str]:
    """Say in one line each where two stamps differ."""
    return [
        f"{name}: {_show(stored, name)} in the index, {_show(wanted, name)} now"
        for name in sorted(stored.keys() | wanted.keys())
        if stored.get(name) != wanted.get(name)
    ]


def _show(stamp: Stamp, name: str) -> str:
    return orjson.dumps(stamp[name]).decode() if name in stamp else "nothing"


def _cell(store: Store, qualifier: bytes) -> bytes | None:
    return store.rows(META, [_ROW]).get(_ROW, {}).get(qualifier)
