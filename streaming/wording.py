"""How relations and measures are told to people, and JSON to terminals."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from streaming.letterview import visible
from streaming.matching.measures import Measure
from streaming.matching.verification import Relation

RELATIONS: Mapping[str, str] = {
    Relation.DUPLICATE: "duplicate of",
    Relation.CONTAINED_IN: "contained in",
    Relation.CONTAINS: "contains",
    Relation.TEMPLATE: "template, the form of",
}
"""A relation as it is said of the later article, before the earlier one is named."""


def shown_title(title: str | None) -> str:
    """Give a title as a terminal may show it; None stands for that of a text that is not kept."""
    return "text not kept" if title is None else visible(title) or "without a title"


def measures_in_line(found: Iterable[Measure]) -> str:
    """Give the measures of a pair in one line."""
    return ", ".join(f"{each.name} {each.value:g}" for each in found)


def measure_lines(found: Iterable[Measure]) -> Iterator[str]:
    """Yield a line for each measure, with the thresholds that it is compared with."""
    for each in found:
        limits = ", ".join(f"{name} {limit:g}" for name, limit in each.thresholds.items())
        yield f"  {each.name:<14}{each.value:<10g}{limits and f'threshold {limits}'}".rstrip()


def json_line(fields: Mapping[str, Any]) -> str:
    """Write JSON on one line; characters that a terminal acts on are escaped as JSON does it."""
    return "".join(
        character if visible(character) == character else json.dumps(character)[1:-1]
        for character in orjson.dumps(fields).decode()
    )
