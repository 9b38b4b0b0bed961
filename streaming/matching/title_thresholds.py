"""From which score on two titles match, by the length of the shorter one.

    {"version": 1,
     "classes": [{"up_to": 3, "min": 0.6, "best": 0.8, "max": 0.95},
                 {"up_to": null, "min": 0.5, "best": 0.65, "max": 0.85}]}

A class holds the pairs whose shorter title has at most ``up_to`` words, and more than those
of the class before; the last one has no end. Below ``min`` a pair is never looked at; from
``max`` on it is a match whoever looks; ``best`` is where the line between them is best drawn.
"""

from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from streaming.errors import SettingsError
from streaming.matching.titles import ONE

_MOST_WORDS = 2**31


class TitleRelation(IntEnum):
    """What two titles are to each other; the larger, the surer."""

    NONE = 0
    """Below ``min``."""
    DOUBTFUL = 1
    """From ``min`` on, but below ``best``: no match, but worth a look when labelling."""
    PROBABLE = 2
    """From ``best`` on, but below ``max``."""
    MATCH = 3
    """From ``max`` on."""


# Scores are whole millionths; at 0, pairs with nothing in common would match.
_Score = Annotated[float, Field(ge=1 / ONE, le=1)]


class LengthClass(BaseModel):
    """The thresholds of titles of some length."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    up_to: Annotated[int, Field(ge=1, lt=_MOST_WORDS)] | None = Field(
        description="most words of the shorter title; null: any number"
    )
    min: _Score = Field(description="below it two titles never match")
    best: _Score = Field(description="from it on they probably do")
    max: _Score = Field(description="from it on they always do")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min <= self.best <= self.max:
            raise ValueError("min, best and max must be in this order")
        return self


class TitleThresholds(BaseModel):
    """The classes of length in order. Whatever is unknown, missing or no number is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = Field(description="of this format")
    classes: tuple[LengthClass, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        ends = [each.up_to for each in self.classes]
        bounded = [end for end in ends[:-1] if end is not None]
        if ends[-1] is not None or len(bounded) < len(ends) - 1:
            raise ValueError("up_to must be null in the last class, and only there")
        if any(less >= more for less, more in pairwise(bounded)):
            raise ValueError("up_to must grow from class to class")
        return self

    def relations(self, scores: NDArray[np.int64], words: NDArray[np.int64]) -> NDArray[np.int8]:
        """Give the `TitleRelation` of pairs: score in millionths, words of the shorter title."""
        steps = self._table[:, self._class_of(words)]
        return np.asarray((scores >= steps).sum(axis=0), np.int8)

    def floors(self, words: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the lowest score in millionths that a title of so many words may match with.

        The other title of a pair may be shorter, and so in a class before.
        """
        lowest = np.minimum.accumulate(self._table[0])
        return lowest[self._class_of(words)]

    def _class_of(self, words: NDArray[np.int64]) -> NDArray[np.int64]:
        ends = [_MOST_WORDS if each.up_to is None else each.up_to for each in self.classes]
        return np.searchsorted(ends, words).astype(np.int64)

    @property
    def _table(self) -> NDArray[np.int64]:
        rows = [[each.min for each in self.classes], [each.best for each in self.classes]]
        rows.append([each.max for each in self.classes])
        return np.asarray(np.rint(np.array(rows) * ONE), np.int64)


TITLE_DEFAULTS = TitleThresholds(
    version=1,
    classes=(
        LengthClass(up_to=3, min=0.60, best=0.80, max=0.95),
        LengthClass(up_to=8, min=0.50, best=0.70, max=0.90),
        LengthClass(up_to=None, min=0.45, best=0.65, max=0.85),
    ),
)
"""Sane for news headlines and product names; learn your own where it matters."""


def read_thresholds(path: Path) -> TitleThresholds:
    """Read a file of thresholds; SettingsError says what is wrong with it, and where."""
    try:
        return TitleThresholds.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "thresholds"
        raise SettingsError(
            f"{path}: {place}: {first['msg']}; write"
            ' {"version": 1, "classes": [{"up_to": null, "min": 0.5, "best": 0.7, "max": 0.9}]}'
        ) from error
