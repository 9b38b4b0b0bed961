"""The stamp of a generation: everything that decides what is stored under it.

Two programs with the same stamp give the same tables from the same log. The address of
the store, batch sizes and triggers are not in it: they change how long it takes only.
"""

from typing import Any

from streaming.settings import Settings
from streaming.text.pipeline import TextPipeline

LAYOUT = 3
"""Version of the row keys and cell encodings."""


def stamp(settings: Settings) -> dict[str, Any]:
    """Give the stamp of these settings; reads every dictionary and table that is in use."""
    frozen = matching_stamp(settings)
    # What is not set is not named: an index from before there was such a setting stays in use.
    for name, value in settings.events.model_dump(mode="json", exclude_none=True).items():
        frozen[f"events.{name}"] = value
    for name, value in TextPipeline(settings.text).stamp().items():
        frozen[f"text.{name}"] = value
    frozen["channels"] = dict(sorted(settings.channels.items()))
    return frozen


def matching_stamp(settings: Settings) -> dict[str, Any]:
    """Give the part of the stamp that decides how two articles are compared; reads no table."""
    frozen: dict[str, Any] = {"layout": LAYOUT}
    # What a file of thresholds holds is stamped below; where it lies decides nothing.
    matching = settings.matching.model_dump(mode="json", exclude={"thresholds_file"})
    for name, value in matching.items():
        frozen[f"matching.{name}"] = value
    for name, value in settings.matching.rules().thresholds.listed().items():
        frozen[f"thresholds.{name}"] = value
    return frozen
