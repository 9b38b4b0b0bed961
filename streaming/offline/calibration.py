"""Thresholds learned from labelled pairs, and all that is told of how well they do."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from streaming.errors import SettingsError
from streaming.matching.verification import Thresholds
from streaming.offline.learning import CrossValidation, Told, cross_validate, learn
from streaming.offline.measures import Measured, score
from streaming.offline.scoring import LENGTH_CLASSES, Tally, length_class, tallies

_LEAST_FOLDS = 2


@dataclass(frozen=True, slots=True)
class Calibration:
    """Learned thresholds, how well learning does on pairs that it has not seen, and on what."""

    thresholds: Thresholds
    validation: CrossValidation
    folds: int
    seed: int

    def sections(
        self, pairs: Sequence[Measured], left_out: int, inputs: Sequence[Path]
    ) -> dict[str, Mapping[str, Any]]:
        """Give what the file of thresholds says of them: counts, checksums and figures."""
        duplicates = sum(each.label.duplicate for each in pairs)
        names = {name for each in pairs for name in (each.label.one, each.label.other)}
        return {
            "learned": {
                "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "version": version("leitong"),
                "pairs": len(pairs),
                "duplicates": duplicates,
                "articles": len(names),
                "pairs_left_out": left_out,
                "f1_on_the_same_pairs": _rounded(score(pairs, self.thresholds).f1),
            },
            "cross_validation": {
                "folds": self.folds,
                "seed": self.seed,
                **{n: v for n, v in self.validation.tally(pairs).fields().items() if v is not None},
            },
            "inputs": {path.name: _checksum(path) for path in inputs},
        }


def calibrate(
    pairs: Sequence[Measured], count: int, seed: int, told: Told = lambda _text: None
) -> Calibration:
    """Learn thresholds from all pairs, and cross-validate the learning in ``count`` folds.

    SettingsError if there is nothing to learn from: no duplicates, or nothing else.
    """
    duplicates = sum(each.label.duplicate for each in pairs)
    if min(duplicates, len(pairs) - duplicates) < max(count, _LEAST_FOLDS):
        raise SettingsError(
            f"{duplicates} pairs of duplicates and {len(pairs) - duplicates} others are there with"
            f" both articles: {count} folds want at least {count} of each; label more pairs, or"
            " name the files that hold their articles"
        )
    validation = cross_validate(pairs, count, seed, told)
    told("all pairs")
    return Calibration(learn(pairs, seed), validation, count, seed)


def by_length(pairs: Sequence[Measured], flagged: Sequence[bool]) -> dict[str, Tally]:
    """Count answers per class of length, and over all."""
    rows = [
        (length_class(pair.length), pair.label.duplicate, answer)
        for pair, answer in zip(pairs, flagged, strict=True)
    ]
    found = tallies(rows, lambda row: row[0], lambda row: row[1:])
    return {
        "all": tallies(rows, lambda _row: "all", lambda row: row[1:])["all"],
        **{name: found[name] for name in LENGTH_CLASSES if name in found},
    }


def _checksum(path: Path) -> str:
    if path.is_dir():
        return "a directory"
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _rounded(value: float | None) -> float:
    return round(value or 0.0, 4)
