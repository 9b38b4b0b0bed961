"""How row keys are built; the only place that knows.

A salted key is ``salt · body`` with one salt byte spread uniformly over the body, so that
any number of presplit regions gets an equal share. Identifiers and scopes hold no control
characters (the event schema sees to it), so a NUL closes them. Keys that are scanned by
prefix end in a position or an identifier.
"""

from zlib import crc32

from streaming.matching.content import Key, Tier
from streaming.position import Position

ENTRY = b"e"
"""First byte of a qualifier in a head row: an index entry, ``first · article``."""
BOUNDARY = b"b"
"""First byte of a qualifier in a head row: a position from which on the tail counts."""
CONTENT = b"c"
"""First byte of a qualifier in an article row: the content of the event at a position."""
OVERRIDE = b"o"
"""First byte of a qualifier in an article row: what an editor said of it at a position."""
NAMED_BY = b"n"
"""First byte of a qualifier in an article row: an article whose overrides name this one."""
VERDICT = b"v"
"""First byte of a qualifier in an article row: the verdict under a token."""
ANNOUNCED = b"a"
"""First byte of a qualifier in an article row: what was announced of it under a token."""

_TOKEN_BYTES = 8
_OF_BANDS = bytes((0, Tier.SIMHASH))
_SALTS = [bytes((salt,)) for salt in range(256)]


def salted(body: bytes) -> bytes:
    """Put the salt byte of ``body`` before it."""
    return _SALTS[crc32(body) & 0xFF] + body


def article(article_id: str) -> bytes:
    """Row of an article, in the tables ``article`` and ``text``."""
    return salted(article_id.encode())


def article_of(row: bytes) -> str:
    """Give the article id back from `article`'s key."""
    return row[1:].decode()


def band(scope: bytes, band_key: bytes) -> bytes:
    """Row of a SimHash band's bucket in an encoded scope: one qualifier per fingerprint."""
    return salted(scope + _OF_BANDS + band_key)


def head(key: Key) -> bytes:
    """Row that holds the earliest carriers of a key, and the prefix of its tail rows."""
    return salted(key)


def key_of(row: bytes) -> Key:
    """Give the key back from `head`'s row."""
    return Key.encoded(row[1:])


def entry(first: Position, article_id: str) -> bytes:
    """Index entry: sorts by ``first``, then by article."""
    return first + article_id.encode()


def citation(cited: str, citing: str = "") -> bytes:
    """Row that says ``citing``'s verdict names ``cited``; without ``citing``, their prefix."""
    body = cited.encode() + b"\0"
    return salted(body) + citing.encode()


def citing_of(row: bytes) -> str:
    """Give the citing article back from `citation`'s key."""
    return row[row.index(0, 1) + 1 :].decode()


def after(prefix: bytes) -> bytes | None:
    """Give the smallest key after all keys that start with ``prefix``; None if there is none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None


def token(number: int) -> bytes:
    """Encode an attempt's token so that bytes sort like the number."""
    return number.to_bytes(_TOKEN_BYTES)
