"""Growable arrays of one kind of record, in memory or in a memory-mapped file.

A file is longer than what is in use: who writes it says elsewhere how many records count,
and whatever lies behind them is written over. What was written into the map survives the
death of the process, not that of the machine.
"""

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST_BYTES = 1 << 16
_GROWTH = 1.5

Records = NDArray[Any]


class Column:
    """Records of one dtype, each of ``shape``; `data` has room for `len(data)` of them.

    New records are zeros. `data` is replaced when the column grows, so fetch it each time.
    Without a path everything is in memory.
    """

    def __init__(self, path: Path | None, dtype: Any, shape: tuple[int, ...] = ()) -> None:
        self._path = path
        self._dtype = np.dtype(dtype)
        self._shape = shape
        self._record = self._dtype.itemsize * int(np.prod(shape))
        self.data: Records = np.zeros((0, *shape), self._dtype)
        if path is not None and path.exists():
            self._map(0)

    def reserve(self, records: int) -> None:
        """Make room for so many records."""
        if records > len(self.data):
            self._map(records)

    def put(self, start: int, records: Records) -> None:
        """Write records from a place on, growing as needed."""
        self.reserve(start + len(records))
        self.data[start : start + len(records)] = records

    def _map(self, records: int) -> None:
        if not self._record:
            self.data = np.zeros((records, *self._shape), self._dtype)
            return
        room = int(max(records, len(self.data) * _GROWTH) if records else 0) * self._record
        room = -(-max(room, _LEAST_BYTES) // mmap.PAGESIZE) * mmap.PAGESIZE
        if self._path is None:
            grown = np.zeros((room // self._record, *self._shape), self._dtype)
            grown[: len(self.data)] = self.data
            self.data = grown
            return
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(file).st_size
            if size < room:
                os.ftruncate(file, room)
                size = room
            # The array keeps the map alive, and with it the memory that others may still read.
            room = size // self._record
            mapped = mmap.mmap(file, size)
        finally:
            os.close(file)
        flat = np.frombuffer(mapped, self._dtype, room * int(np.prod(self._shape)))
        self.data = flat.reshape((room, *self._shape))
