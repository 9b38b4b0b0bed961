"""Whether a running query gets on, for who would restart it."""

import time
from collections.abc import Callable

from streaming.durations import show

LONGEST_BATCH_SECONDS = 300.0
"""What a batch is given beyond the time for which the query tries again by itself."""


class Health:
    """Knows when the query last ended a batch, or last looked at the log and found nothing new.

    Neither for longer than ``patience`` and `LONGEST_BATCH_SECONDS` together means that it hangs:
    an outage ends the query by itself when ``patience``, in seconds, is over. ``clock`` gives
    seconds and never goes back. Safe to share between threads.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = patience + LONGEST_BATCH_SECONDS
        self._clock = clock
        self._well_at = clock()

    def well(self) -> None:
        """Note that a batch ended, or that nothing new was there."""
        self._well_at = self._clock()

    def complaint(self) -> str | None:
        """Say what is wrong; None if nothing is."""
        silent = self._clock() - self._well_at
        if silent <= self._limit:
            return None
        since, limit = (show(round(seconds) * 1000) for seconds in (silent, self._limit))
        return f"the query hangs: no batch has ended for {since}, more than {limit}"
