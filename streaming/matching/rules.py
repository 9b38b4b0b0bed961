"""The settings that decide what a verdict is; frozen for a generation of the index."""

from dataclasses import dataclass, field
from typing import Literal

from streaming.fingerprints.bands import BandScheme
from streaming.matching.verification import DEFAULT_THRESHOLDS, Thresholds


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as visible, near and the same.

    ``k`` is the Hamming radius in bits of the 64-bit fingerprint; the band scheme must be
    exact for it. ``visible`` is the number of earliest articles that are seen under one
    key. ``window_ms`` is how far back, in milliseconds of log time, an article is compared.
    With ``shingles`` false fingerprints alone propose whom to compare. With
    ``verify_simhash`` false every fingerprint within ``k`` bits is a duplicate, and only
    what shingles propose is verified.
    """

    k: int = 3
    bands: BandScheme = field(default_factory=BandScheme)
    visible: int = 64
    window_ms: int = 90 * 86_400_000
    scope: Literal["newsroom", "channel"] = "newsroom"
    shingles: bool = True
    verify_simhash: bool = True
    thresholds: Thresholds = DEFAULT_THRESHOLDS
    max_matches: int = 20

    def __post_init__(self) -> None:
        if self.bands.radius < self.k:
            raise ValueError(
                f"bands of {self.bands.blocks} choose {self.bands.chosen} find all fingerprints"
                f" within {self.bands.radius} bits, not within {self.k}"
            )
        if self.visible < 1 or self.window_ms < 0 or self.max_matches < 1 or self.k < 0:
            raise ValueError("k, visible, window and max_matches cannot be negative or empty")

    def scope_of(self, channel: str) -> str:
        """Give the part of the newsroom in which an article of this channel is compared."""
        return channel if self.scope == "channel" else ""
