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
from dataclasses import dataclass

import numpy as np

from streaming.fingerprints.bands import hamming_many
from streaming.matching.content import Key, Tier
from streaming.matching.rules import Rules
from streaming.position import Position, split_entry
from streaming.store import keys
from streaming.store.contract import Cells, Mutation, Store

BANDS = "bucket"
HEADS = "head"
TAILS = "tail"
_PRESENT = b""


@dataclass(frozen=True, slots=True)
class Head:
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
        for key, first, article in carriers:
            if key.tier is Tier.SIMHASH:
                for band_key in self._rules.bands.keys(key.value):
                    bands[keys.band(key.scope, band_key)][key.value.to_bytes(8)] = _PRESENT
            heads[keys.head(key)][keys.ENTRY + keys.entry(first, article)] = _PRESENT
        self._store.mutate(BANDS, [Mutation(row, cells) for row, cells in bands.items()])
        self._store.mutate(HEADS, [Mutation(row, cells) for row, cells in heads.items()])

    def near(self, wanted: Collection[Key]) -> dict[Key, tuple[Key, ...]]:
        """Give, for each key, the indexed keys that compare with it; itself always included.

        For a fingerprint these are all indexed ones within ``k`` bits in its scope.
        """
        rows_of = {
            key: [keys.band(key.scope, band_key) for band_key in self._rules.bands.keys(key.value)]
            for key in wanted
            if key.tier is Tier.SIMHASH
        }
        buckets = {
            row: np.frombuffer(b"".join(cells), dtype=">u8").astype(np.uint64)
            for row, cells in self._store.rows(
                BANDS, list({row for rows in rows_of.values() for row in rows})
            ).items()
        }
        found = {}
        for key in wanted:
            members = [buckets[row] for row in rows_of.get(key, ()) if row in buckets]
            values = {key.value}
            if members:
                candidates = np.concatenate(members)
                within = hamming_many(key.value, candidates) <= self._rules.k
                values.update(candidates[within].tolist())
            found[key] = tuple(Key(key.scope, key.tier, value) for value in sorted(values))
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


_TAIL_QUALIFIER = b"e"


def _head(cells: Cells) -> Head:
    entries = sorted(q[1:] for q in cells if q[:1] == keys.ENTRY)
    boundaries = [q[1:] for q in cells if q[:1] == keys.BOUNDARY]
    return Head(tuple(entries), min(boundaries, default=None))
