"""Durations as people write them: ``500ms``, ``2s``, ``15m``, ``36h``, ``90d``."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def parse(text: str) -> int:
    """Give the milliseconds of a duration; ValueError with an example if it is none."""
    found = _PATTERN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no duration; write for example 500ms, 2s, 15m, 36h or 90d")
    return round(float(found[1]) * _UNITS_MS[found[2]])


def show(milliseconds: int) -> str:
    """Write milliseconds in the largest unit that needs no fraction."""
    for unit, size in reversed(_UNITS_MS.items()):
        if milliseconds % size == 0 and milliseconds >= size:
            return f"{milliseconds // size}{unit}"
    return "0s"


def _from_any(value: Any) -> Any:
    return parse(value) if isinstance(value, str) else value


Duration = Annotated[int, BeforeValidator(_from_any), PlainSerializer(show, return_type=str)]
"""A settings field in milliseconds that is written as text."""
