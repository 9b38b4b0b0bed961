"""The ranges of time that views can show, and into which steps they are cut."""

from dataclasses import dataclass

from streaming.engine.statistics import MINUTE_MS
from streaming.engine.summaries import DAY, HOUR, TEN_MINUTES, Grain

_HOURS = HOUR.length_ms
_DAYS = DAY.length_ms


@dataclass(frozen=True, slots=True)
class Range:
    """A length of time in steps, both in milliseconds.

    ``grain`` is what is summed up for it, None for the counts of minutes.
    """

    length_ms: int
    step_ms: int
    grain: Grain | None

    def ending(self, end_ms: int) -> tuple[int, int]:
        """Give the whole steps that end with the one that a moment lies in: begin and end."""
        end = end_ms - end_ms % self.step_ms + self.step_ms
        return end - self.length_ms, end


RANGES = {
    "15m": Range(15 * MINUTE_MS, MINUTE_MS, None),
    "1h": Range(_HOURS, MINUTE_MS, None),
    "6h": Range(6 * _HOURS, 5 * MINUTE_MS, None),
    "24h": Range(_DAYS, TEN_MINUTES.length_ms, TEN_MINUTES),
    "7d": Range(7 * _DAYS, _HOURS, HOUR),
    "30d": Range(30 * _DAYS, _DAYS, DAY),
    "90d": Range(90 * _DAYS, _DAYS, DAY),
}
