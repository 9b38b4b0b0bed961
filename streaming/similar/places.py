"""Positions as fixed-size records, to be kept in columns and compared many at a time."""

from collections.abc import Sequence
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.position import Position, decode, encode

PLACE = np.dtype([("time", "<i8"), ("topic", "<u4"), ("partition", "<u4"), ("offset", "<u8")])
"""``time`` in epoch milliseconds, ``topic`` a number that `Topics` gave."""

_TIME = Struct(">Q")
_END = Struct(">IQ")
_SHIFT = 1 << 63

Places = NDArray[Any]


class Topics:
    """Numbers for the topics that positions name, in the order in which they were met."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self._numbers = {name.encode(): number for number, name in enumerate(names)}
        self._rank()

    def packed(self, position: bytes) -> tuple[int, int, int, int]:
        """Give a position as a `PLACE`; a topic that was not met before gets the next number."""
        (time,) = _TIME.unpack_from(position)
        partition, offset = _END.unpack_from(position, len(position) - _END.size)
        topic = position[_TIME.size : -_END.size - 1]
        number = self._numbers.get(topic)
        if number is None:
            number = self._numbers[topic] = len(self.names)
            self.names.append(decode(position).topic)
            self._rank()
        return time - _SHIFT, number, partition, offset

    def places(self, positions: Sequence[bytes]) -> Places:
        """Give positions as `PLACE` records: at once if they name one topic, as most do."""
        ends = {position[_TIME.size : -_END.size] for position in positions}
        if len(ends) != 1:
            return np.array([self.packed(position) for position in positions], PLACE)
        _, topic, _, _ = self.packed(positions[0])
        fields = [("time", ">u8"), ("name", f"S{len(ends.pop())}")]
        wide = np.dtype([*fields, ("partition", ">u4"), ("offset", ">u8")])
        read = np.frombuffer(b"".join(positions), wide)
        found = np.zeros(len(read), PLACE)
        found["time"] = (read["time"].astype(np.uint64) ^ np.uint64(_SHIFT)).view(np.int64)
        found["topic"] = topic
        found["partition"], found["offset"] = read["partition"], read["offset"]
        return found

    def place(self, position: bytes) -> Places:
        """Give a position as an array of no dimensions, to compare others with."""
        return np.array(self.packed(position), PLACE)

    def position(self, place: Any) -> Position:
        """Give the position back."""
        time, topic, partition, offset = place.item()
        return encode(time, self.names[topic], partition, offset)

    def keys(self, places: Places) -> tuple[NDArray[Any], ...]:
        """Give what sorts like the positions, the most significant last, as lexsort wants it."""
        return places["offset"], places["partition"], self.ranks[places["topic"]], places["time"]

    def before(self, places: Places, place: Places) -> NDArray[np.bool_]:
        """Tell which positions are smaller than one."""
        smaller: NDArray[np.bool_] = places["time"] < place["time"]
        tied = np.flatnonzero(places["time"] == place["time"])
        if len(tied):
            mine = self.position(place)
            smaller[tied] = [self.position(places[number]) < mine for number in tied.tolist()]
        return smaller

    def after(self, places: Places, place: Places) -> NDArray[np.bool_]:
        """Tell which positions are larger than one."""
        return ~self.before(places, place) & ~same(places, place)

    def _rank(self) -> None:
        # Topics end with a NUL where they are compared, so a prefix comes first, as it does here.
        ranks = np.zeros(len(self.names), np.int64)
        order = sorted(range(len(self.names)), key=lambda number: self.names[number].encode())
        ranks[order] = np.arange(len(order))
        self.ranks = ranks


def same(one: Places, other: Places) -> NDArray[np.bool_]:
    """Tell which places are equal, one by one."""
    equal: NDArray[np.bool_] = one["time"] == other["time"]
    for name in ("topic", "partition", "offset"):
        equal &= one[name] == other[name]
    return equal
