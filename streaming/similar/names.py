"""Numbers for article ids, given once and for good, in columns that need not be read to open.

Ids are recognised by 128 bits of their BLAKE2 hash, which nobody can make two ids share.
They are found through an open-addressing table that is never more than half full.
"""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streaming.similar.columns import Column

_LEAST_BITS = 12

Numbers = NDArray[np.int64]


class Names:
    """Article ids by number and numbers by id; ``count`` of them, in ``size`` bytes of text.

    Numbers that `add` gave count once their owner has written down `count` and `size`, and
    `enter` was called: in this order, so that the table never leads to what is not there.
    ``entered`` is the count of an earlier time, up to which the table is known to be complete.
    """

    def __init__(self, directory: Path | None, count: int, size: int, entered: int) -> None:
        self._directory = directory
        self.count, self.size = count, size
        self._text = Column(directory and directory / "names.column", np.uint8)
        self._ends = Column(directory and directory / "name-ends.column", np.int64)
        self._hashes = Column(directory and directory / "name-hashes.column", np.uint64, (2,))
        self._entered = entered
        self._bits = 0
        self._table = Column(None, np.uint32)
        self.enter()

    def find(self, ids: Sequence[str]) -> Numbers:
        """Give the number of each id, -1 where there is none."""
        hashes = _hashes(ids)
        numbers = np.full(len(ids), -1, np.int64)
        mask = np.uint64((1 << self._bits) - 1)
        places = hashes[:, 0] & mask
        open_ = np.arange(len(ids))
        while len(open_):
            found = self._table.data[places].astype(np.int64) - 1
            there = found >= 0
            open_, places, found = open_[there], places[there], found[there]
            right = (self._hashes.data[found] == hashes[open_]).all(axis=1)
            numbers[open_[right]] = found[right]
            open_, places = open_[~right], (places[~right] + np.uint64(1)) & mask
        return numbers

    def add(self, ids: Sequence[str]) -> Numbers:
        """Give new numbers to distinct ids that have none."""
        if not ids:
            return np.zeros(0, np.int64)
        encoded = [each.encode() for each in ids]
        ends = self.size + np.cumsum([len(each) for each in encoded], dtype=np.int64)
        self._text.put(self.size, np.frombuffer(b"".join(encoded), np.uint8))
        self._ends.put(self.count, ends)
        self._hashes.put(self.count, _hashes(ids))
        numbers = np.arange(self.count, self.count + len(ids))
        self.count += len(ids)
        self.size = int(ends[-1])
        return numbers

    def enter(self) -> None:
        """Make the ids that were added since the last time findable; harmless when repeated."""
        if not self._fit():
            self._insert(np.arange(self._entered, self.count))
        self._entered = self.count

    def id(self, number: int) -> str:
        """Give the id of a number."""
        return self.ids([number])[0]

    def ids(self, numbers: Sequence[int] | Numbers) -> list[str]:
        """Give the ids of numbers."""
        asked, places = np.unique(np.asarray(numbers, np.int64), return_inverse=True)
        ends = self._ends.data[asked]
        # Before the first id there is no other one to end.
        starts = np.where(asked > 0, self._ends.data[asked - 1], 0)
        text = self._text.data.data
        found = [
            str(text[start:end], "utf-8")
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
        return [found[place] for place in places.tolist()]

    def _fit(self) -> bool:
        """Use a table that is large enough; True if it had to be filled."""
        bits = max((2 * self.count).bit_length(), _LEAST_BITS)
        if bits == self._bits:
            return False
        self._bits = bits
        path = self._directory and self._directory / f"name-table-{bits}.column"
        if path is not None and path.exists():
            self._table = Column(path, np.uint32)
            return False
        scratch = path and path.with_suffix(".scratch")
        if scratch is not None:
            scratch.unlink(missing_ok=True)
        self._table = Column(scratch, np.uint32)
        self._table.reserve(1 << bits)
        self._insert(np.arange(self.count))
        if path is not None and scratch is not None:
            scratch.rename(path)
        return True

    def _insert(self, numbers: Numbers) -> None:
        mask = np.uint64((1 << self._bits) - 1)
        places = self._hashes.data[numbers, 0] & mask
        while len(numbers):
            free = self._table.data[places] == 0
            # Of several that want one place the last gets it; the others go on to the next.
            self._table.data[places[free]] = numbers[free] + 1
            left = self._table.data[places] != numbers + 1
            numbers, places = numbers[left], (places[left] + np.uint64(1)) & mask


def _hashes(ids: Sequence[str]) -> NDArray[np.uint64]:
    joined = b"".join([blake2b(each.encode(), digest_size=16).digest() for each in ids])
    return np.frombuffer(joined, "<u8").reshape(-1, 2)
