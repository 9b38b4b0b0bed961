"""The index from keys to the articles that ever carried them: bands, heads and tails.

A key's carriers are entries ``first · article`` in one *head* row, earliest first. A head
that outgrows its size has its surplus moved to tall *tail* rows; what moved is announced
in the head by a boundary, the smallest position ever moved. An entry is a hint: it counts
only if the article's row names the same ``first``.

Fingerprints are found by bands: a bucket row holds every distinct fingerprint that agrees
on the band's bits, so that a copy does not grow it and the answer is exact.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from streaming.fingerprints.bands import hamming_many
from streaming.matching.content import Key
from streaming.matching.rules import Rules
from streaming.position import Position, split_entry
from streaming.store import keys
from streaming.store.contract import Cells, Mutation, Store

BANDS = "bucket"
HEADS = "head"
TAILS = "tail"
_PRESENT = b""
_FINGERPRINT_BYTES = 8
_ENTRY = keys.ENTRY[0]


class Head(NamedTuple):
    """A head row: sorted entries, and the position from which on the tail has to be read."""

    entries: tuple[bytes, ...] = ()
    boundary: bytes | None = None

    def trusted(self) -> tuple[bytes, ...]:
        """Entries below the boundary; between them nothing was ever moved away."""
        if self.boundary is None:
            return self.entries
        return tuple(e for e in self.entries if e < self.boundary)

    def answers(self, high: bytes) -> bool:
        """Whether the head alone tells every entry below ``high``."""
        return self.boundary is None or high <= self.boundary

    def begins_at(self, high: bytes) -> bool:
        """Whether there is certainly no entry below ``high``, in the tail neither."""
        return self.answers(high) and (not self.entries or self.entries[0] >= high)


EMPTY = Head()


class Index:
    """Carriers of keys in a store.

    Writes are grow-only and may be repeated. ``head_size`` is twice what is visible under
    a key, so that a head answers ordinary questions without its tail.
    """

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self.head_size = 2 * rules.visible

    def put(self, carriers: Iterable[tuple[Key, Position, str]]) -> None:
        """Add ``(key, first, article)`` entries and the bands of their fingerprints."""
        bands: dict[bytes, Cells] = defaultdict(dict)
        heads: dict[bytes, Cells] = defaultdict(dict)
        fingerprints: set[Key] = set()
        for key, first, article in carriers:
            if key.is_fingerprint:
                fingerprints.add(key)
            heads[keys.head(key)][keys.ENTRY + keys.entry(first, article)] = _PRESENT
        for key, rows in self._bands(fingerprints).items():
            for row in rows:
                bands[row][key[-_FINGERPRINT_BYTES:]] = _PRESENT
        self._store.mutate(BANDS, [Mutation(row, cells) for row, cells in bands.items()])
        self._store.mutate(HEADS, [Mutation(row, cells) for row, cells in heads.items()])

    def near(self, wanted: Collection[Key]) -> dict[Key, tuple[Key, ...]]:
        """Give, for each key, the indexed keys that compare with it; itself always included.

        For a fingerprint these are all indexed ones within ``k`` bits in its scope.
        """
        found: dict[Key, tuple[Key, ...]] = {key: (key,) for key in wanted}
        rows_of = self._bands([key for key in wanted if key.is_fingerprint])
        buckets = self._store.rows(BANDS, [row for rows in rows_of.values() for row in rows])
        members = {
            key: b"".join([b"".join(buckets[row]) for row in rows if row in buckets])
            for key, rows in rows_of.items()
        }
        for key, others in self._within(members).items():
            others.add(key[-_FINGERPRINT_BYTES:])
            prefix = key[:-_FINGERPRINT_BYTES]
            found[key] = tuple(Key.encoded(prefix + other) for other in sorted(others))
        return found

    def heads(self, wanted: Collection[Key]) -> dict[Key, Head]:
        """Read the heads of keys; a key that nobody carries has an empty one."""
        rows = {keys.head(key): key for key in wanted}
        found = self._store.rows(HEADS, list(rows))
        return {key: _head(found[row]) if row in found else EMPTY for row, key in rows.items()}

    def tail(self, key: Key, low: bytes, high: bytes) -> Iterator[bytes]:
        """Entries in ``[low, high)`` that were moved out of the head, in order.

        Read the head first: an entry is put to the tail before it leaves the head, so that
        order misses nothing.
        """
        prefix = keys.head(key)
        for row, _ in self._store.scan(TAILS, prefix + low, prefix + high, keys_only=True):
            yield row[len(prefix) :]

    def move_surplus(self, heads: Mapping[Key, Head]) -> int:
        """Move what outgrew these heads to their tails; gives the number of entries moved.

        In this order, so that a crash between two steps hides nothing: tail, boundary, head.
        """
        surplus = {
            key: head.entries[self.head_size :]
            for key, head in heads.items()
            if len(head.entries) > self.head_size
        }
        if not surplus:
            return 0
        self._store.mutate(
            TAILS,
            [
                Mutation(keys.head(key) + moved, {_TAIL_QUALIFIER: _PRESENT})
                for key, entries in surplus.items()
                for moved in entries
            ],
        )
        boundaries = []
        for key, entries in surplus.items():
            smallest, _ = split_entry(entries[0])
            known = heads[key].boundary
            # One that is known is put again: it must not be forgotten before what it guards.
            lowest = smallest if known is None else min(smallest, known)
            boundaries.append(Mutation(keys.head(key), {keys.BOUNDARY + lowest: _PRESENT}))
        self._store.mutate(HEADS, boundaries)
        self._store.mutate(
            HEADS,
            [
                Mutation(keys.head(key), {}, tuple(keys.ENTRY + moved for moved in entries))
                for key, entries in surplus.items()
            ],
        )
        return sum(map(len, surplus.values()))

    def _bands(self, fingerprints: Collection[Key]) -> dict[Key, list[bytes]]:
        """Give the rows of the buckets of fingerprints."""
        values = np.array([key.value for key in fingerprints], dtype=np.uint64)
        return {
            key: [keys.band(key[: -_FINGERPRINT_BYTES - 2], band) for band in bands]
            for key, bands in zip(fingerprints, self._rules.bands.keys_batch(values), strict=True)
        }

    def _within(self, members: Mapping[Key, bytes]) -> dict[Key, set[bytes]]:
        """Give those members of each fingerprint's buckets, 8 bytes each, that are near it."""
        wanted, joined = list(members), b"".join(members.values())
        counts = [len(each) // _FINGERPRINT_BYTES for each in members.values()]
        values = np.array([key.value for key in wanted], dtype=np.uint64)
        owners = np.repeat(np.arange(len(wanted)), counts)
        candidates = np.frombuffer(joined, dtype=">u8").astype(np.uint64)
        near = np.flatnonzero(hamming_many(values[owners], candidates) <= self._rules.k)
        found: dict[Key, set[bytes]] = defaultdict(set)
        for place, owner in zip(near.tolist(), owners[near].tolist(), strict=True):
            at = place * _FINGERPRINT_BYTES
            found[wanted[owner]].add(joined[at : at + _FINGERPRINT_BYTES])
        return found


_TAIL_QUALIFIER = b"e"


def _head(cells: Cells) -> Head:
    entries = [q[1:] for q in cells if q[0] == _ENTRY]
    if len(entries) == len(cells):
        # Most keys are nobody else's.
        return Head(tuple(sorted(entries) if len(entries) > 1 else entries))
    boundaries = [q[1:] for q in cells if q[:1] == keys.BOUNDARY]
    return Head(tuple(sorted(entries)), min(boundaries, default=None))
