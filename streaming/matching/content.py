"""What the rules know of one version of an article: its keys and its evidence.

The encoding is a cell of the article's row and part of the data model, so it carries a
version byte; a reader refuses one that it does not know instead of guessing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, Self

from streaming.fingerprints.bands import hamming
from streaming.matching.evidence import Pair
from streaming.matching.rules import Rules

if TYPE_CHECKING:
    from streaming.matching.measuring import Overlap

_VERSION = 3
_HEAD = Struct(">BBQqB")
_HAS_FINGERPRINT, _HAS_PUBLISHED = 1, 2
_KEY_BYTES = 8
DAY_MS = 86_400_000


class Tier(IntEnum):
    """The kind of key under which two articles met."""

    SIMHASH = 0
    SHINGLE = 1

    @property
    def label(self) -> str:
        """The name used in exports and verdict events."""
        return self.name.lower()


class Key(bytes):
    """Something that near-duplicates share: a 64-bit value of a tier within a scope.

    It is its encoding, ``scope · NUL · tier · value``, since keys are made, hashed and sent in
    great numbers and seldom looked into. Sorts by scope, tier and value.
    """

    __slots__ = ()

    def __new__(cls, scope: str, tier: Tier, value: int) -> Self:
        """Encode a key; a scope has no control characters."""
        return super().__new__(cls, _prefix(scope, tier) + value.to_bytes(_KEY_BYTES))

    @staticmethod
    def encoded(key: bytes) -> "Key":
        """Take what is encoded already."""
        return _make(Key, key)

    @property
    def scope(self) -> str:
        """The part of the newsroom in which it is compared."""
        return self[: -_KEY_BYTES - 2].decode()

    @property
    def tier(self) -> Tier:
        """The kind of key."""
        return Tier(self[-_KEY_BYTES - 1])

    @property
    def value(self) -> int:
        """Its 64 bits."""
        return int.from_bytes(self[-_KEY_BYTES:])

    @property
    def is_fingerprint(self) -> bool:
        """Whether it is compared with those within a few bits, and not with itself only."""
        return not self[-_KEY_BYTES - 1]


_make: Callable[[type[Key], bytes], Key] = bytes.__new__


def _prefix(scope: str, tier: Tier) -> bytes:
    return scope.encode() + b"\0" + bytes((tier,))


@dataclass(frozen=True, slots=True)
class Content:
    """One version of an article as the rules see it.

    ``fingerprint`` is the 64-bit SimHash, or None for a text without features, which
    matches nothing. ``published_ms`` is what the newsroom says, not the log's time.
    ``shingles`` are at most 255 distinct 64-bit keys, `packed`; ``evidence`` is encoded as
    `matching.evidence` says, empty if nothing is known of the text.
    """

    channel: str
    source: str
    fingerprint: int | None
    published_ms: int | None = None
    shingles: bytes = b""
    evidence: bytes = b""

    def keys(self, rules: Rules) -> frozenset[Key]:
        """Give the keys under which this version is indexed and looked up."""
        scope, packed = rules.scope_of(self.channel), self.shingles
        found = []
        if rules.shingles:
            prefix = _prefix(scope, Tier.SHINGLE)
            found = [
                _make(Key, prefix + packed[at : at + _KEY_BYTES])
                for at in range(0, len(packed), _KEY_BYTES)
            ]
        if self.fingerprint is not None:
            found.append(Key(scope, Tier.SIMHASH, self.fingerprint))
        return frozenset(found)

    def carries(self, key: Key, rules: Rules) -> bool:
        """Whether a key is one of `keys`, without making all of them."""
        value = key[-_KEY_BYTES:]
        if key.is_fingerprint:
            held = self.fingerprint is not None and self.fingerprint == int.from_bytes(value)
        else:
            at = self.shingles.find(value) if rules.shingles else -1
            # The bytes of a value may also stand across two others.
            while at >= 0 and at % _KEY_BYTES:
                at = self.shingles.find(value, at + 1)
            held = at >= 0
        return held and key.scope == rules.scope_of(self.channel)

    def encode(self) -> bytes:
        """Encode as a cell value; equal contents give equal bytes."""
        flags = (_HAS_FINGERPRINT if self.fingerprint is not None else 0) | (
            _HAS_PUBLISHED if self.published_ms is not None else 0
        )
        channel, source = self.channel.encode(), self.source.encode()
        return b"".join(
            (
                _HEAD.pack(
                    _VERSION,
                    flags,
                    self.fingerprint or 0,
                    self.published_ms or 0,
                    len(self.shingles) // _KEY_BYTES,
                ),
                self.shingles,
                len(channel).to_bytes(2),
                channel,
                len(source).to_bytes(2),
                source,
                self.evidence,
            )
        )

    @classmethod
    def decode(cls, cell: bytes) -> "Content":
        """Read `encode`'s bytes; ValueError if another version wrote them."""
        version, flags, fingerprint, published, count = _HEAD.unpack_from(cell)
        if version != _VERSION:
            raise ValueError(f"content cell of version {version}, this program reads {_VERSION}")
        start = _HEAD.size + count * _KEY_BYTES
        channel, end = _text(cell, start)
        source, end = _text(cell, end)
        return cls(
            channel,
            source,
            fingerprint if flags & _HAS_FINGERPRINT else None,
            published if flags & _HAS_PUBLISHED else None,
            cell[_HEAD.size : start],
            cell[end:],
        )


def packed(shingles: Iterable[int]) -> bytes:
    """Put shingle keys one after the other in order, 8 bytes each, as a content has them."""
    return b"".join(value.to_bytes(_KEY_BYTES) for value in sorted(shingles))


def unpacked(shingles: bytes) -> tuple[int, ...]:
    """Give the keys that `packed` put together."""
    places = range(0, len(shingles), _KEY_BYTES)
    return tuple(int.from_bytes(shingles[at : at + _KEY_BYTES]) for at in places)


def distance_between(one: Content, other: Content) -> int | None:
    """Give the Hamming distance of two fingerprints in bits; None if one is missing."""
    if one.fingerprint is None or other.fingerprint is None:
        return None
    return hamming(one.fingerprint, other.fingerprint)


def days_between(one: Content, other: Content) -> float | None:
    """Give how many days apart two contents were published; None if one does not say when."""
    if one.published_ms is None or other.published_ms is None:
        return None
    return abs(one.published_ms - other.published_ms) / DAY_MS


def pair_of(later: Content, earlier: Content, overlap: "Overlap | None" = None) -> Pair:
    """Give the pair of two contents, as verification measures it; its overlap may be known."""
    return Pair(later.evidence, earlier.evidence, days_between(later, earlier), overlap)


def _text(cell: bytes, start: int) -> tuple[str, int]:
    end = start + 2 + int.from_bytes(cell[start : start + 2])
    return cell[start + 2 : end].decode(), end
