"""What is known about a simulated event, because we made it."""

from dataclasses import dataclass
from typing import Literal

from producers.records import Record

Relation = Literal["duplicate", "contained_in", "template"]


@dataclass(frozen=True, slots=True)
class Truth:
    """What one event is, and which earlier article it was made from.

    ``kind`` is a field name of ``Mix`` or ``original``; templates and malformed events add what
    they are, ``template:quake`` and ``malformed:not_json``. ``origin`` names an article that was
    emitted earlier; ``relation`` is null when the event must not be matched with it
    (``related``, ``repeated``). Relations that follow from two truths (two copies of one
    origin duplicate each other too) are not listed.
    """

    article_id: str
    kind: str
    origin: str | None
    relation: Relation | None


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """A record for the log, and the truth about it."""

    record: Record
    truth: Truth | None


def truth_line(truth: Truth) -> dict[str, str | None]:
    """Return the truth as one JSON object, with the keys of a line of a truth file."""
    return {
        "article_id": truth.article_id,
        "kind": truth.kind,
        "origin": truth.origin,
        "relation": truth.relation,
    }
