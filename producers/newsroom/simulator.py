"""The newsroom: settings in, an unbounded stream of events with known truth out."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from producers.newsroom.families import Families
from producers.newsroom.floor import Kit
from producers.newsroom.lexicon import Lexicon
from producers.newsroom.mix import Mix
from producers.newsroom.randomness import stream
from producers.newsroom.run import Run
from producers.newsroom.scene import Scenery
from producers.newsroom.truth import SimulatedEvent
from producers.newsroom.writer import Writer
from streaming.errors import SettingsError
from streaming.events import MAX_EVENT_BYTES

DEFAULT_PER_HOUR = 3600.0
SMALLEST_MAX_BYTES = 100_000
DEFAULT_POOL_SIZE = 512


class Newsroom:
    """An unbounded, seeded source of article events.

    Iterating gives the same events every time, in every process and for every
    ``PYTHONHASHSEED``, given the same arguments, dictionary and version of this package.
    Timestamps never go back; inter-arrival times are exponential with ``per_hour`` events an
    hour of simulated time, and nothing waits for the clock. Copies are made of a pool of
    recent stories (``pool_size``), so memory is bounded however long one iterates.

    ``channels`` maps ids to names; events carry the name. A malformed event of the kind
    ``too_large`` exceeds ``max_bytes``; no other value does.

    Raises ``SettingsError`` for settings that cannot be used.
    """

    def __init__(
        self,
        seed: int,
        *,
        channels: Mapping[int, str],
        start: datetime,
        per_hour: float = DEFAULT_PER_HOUR,
        mix: Mix | None = None,
        max_bytes: int = MAX_EVENT_BYTES,
        pool_size: int = DEFAULT_POOL_SIZE,
    ) -> None:
        names = tuple(channels[number] for number in sorted(channels))
        _check(names, start, per_hour, max_bytes, pool_size)
        self._seed = seed
        self._start_ms = int(start.timestamp() * 1000)
        scenery = Scenery(Lexicon(names), names)
        self._kit = Kit(
            channels=names,
            outlets=scenery.outlets(),
            scenery=scenery,
            writer=Writer(scenery, stream(seed, "names")),
            families=Families(scenery),
            mix=mix or Mix(),
            gap_ms=3_600_000 / per_hour,
            max_bytes=max_bytes,
            pool_size=pool_size,
        )

    def __iter__(self) -> Iterator[SimulatedEvent]:
        """Return the events from the first one on; it never ends."""
        return iter(Run(self._seed, self._start_ms, self._kit))


def _check(
    channels: tuple[str, ...], start: datetime, per_hour: float, max_bytes: int, pool_size: int
) -> None:
    if not channels or len(set(channels)) < len(channels) or not all(channels):
        raise SettingsError("newsroom: give at least one channel, each with a name of its own")
    if start.tzinfo is None:
        message = f"newsroom: start {start.isoformat()} has no time zone; add one, e.g. +08:00"
        raise SettingsError(message)
    if not per_hour > 0:
        message = f"newsroom: {per_hour} events an hour never arrive; give a number above 0"
        raise SettingsError(message)
    if max_bytes < SMALLEST_MAX_BYTES:
        message = (
            f"newsroom: ordinary articles would not fit into max_bytes = {max_bytes}; "
            f"give at least {SMALLEST_MAX_BYTES}"
        )
        raise SettingsError(message)
    if pool_size < 1:
        message = f"newsroom: a pool of {pool_size} stories has nothing to copy; give 1 or more"
        raise SettingsError(message)
