"""Whose checkpoint a directory is, noted beside what Spark keeps there.

A checkpoint says how far *one* index has read the log. Used for another one, it would
leave out in silence whatever that one has not seen.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from streaming.errors import SettingsError
from streaming.store.generations import Generation

if TYPE_CHECKING:
    from streaming.query.source import Span

_FILE = "leitong.json"


@dataclass(frozen=True, slots=True)
class Owner:
    """The index that a checkpoint belongs to, and the part of the log that it was begun for.

    ``identity`` is that of the catalogue's entry, ``span`` has the bounds that were given.
    ``finished``: a replay came to its end.
    """

    generation: str
    identity: str
    span: Mapping[str, Any]
    finished: bool = False

    def belongs_to(self, generation: Generation) -> bool:
        """Whether it is the checkpoint of this very generation."""
        return self.identity == generation.identity


def claim(directory: Path, generation: Generation, span: "Span") -> None:
    """Note whose checkpoint a fresh directory is, or make sure that it may go on.

    SettingsError if it belongs to another index, or if going on within these bounds would
    leave out a part of the log. A checkpoint without a note is taken for one of this index.
    """
    wanted = Owner(generation.name, generation.identity, _bounds(span))
    known = read(directory)
    if known is None:
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory, wanted)
    elif not known.belongs_to(generation):
        raise SettingsError(foreign(directory, known, generation))
    elif known.span != wanted.span and not (
        # What lies behind a bounded end was passed by, and would never be read.
        known.finished and not wanted.span and not any(name.startswith("to") for name in known.span)
    ):
        raise SettingsError(
            f"{directory} was begun for another part of the log ({_words(known.span)}) and would"
            " leave something out: give the bounds that it was begun with, or replay into"
            " another generation"
        )


def foreign(directory: Path, owner: Owner, generation: Generation) -> str:
    """Say that a checkpoint belongs to another index, and what to do about it."""
    if owner.generation == generation.name:
        return (
            f"{directory} is the checkpoint of another index, or of a generation {owner.generation}"
            " that was dropped, and would leave out what this one has not read: remove the"
            " directory, or name another with --checkpoint"
        )
    return (
        f"{directory} is the checkpoint of generation {owner.generation}, and would leave out what"
        f" generation {generation.name} has not read: name that one's with --checkpoint, or go on"
        f" with --generation {owner.generation}"
    )


def finish(directory: Path) -> None:
    """Note that the part of the log was read to its end."""
    known = read(directory)
    if known is not None:
        _write(directory, replace(known, finished=True))


def read(directory: Path) -> Owner | None:
    """Give whose checkpoint a directory is; None if nobody noted it."""
    try:
        return Owner(**orjson.loads((directory / _FILE).read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(
            f"{directory / _FILE}: cannot be read ({error}); name another checkpoint with"
            " --checkpoint"
        ) from None


def _write(directory: Path, owner: Owner) -> None:
    partial = directory / f".{_FILE}.partial"
    partial.write_bytes(orjson.dumps(asdict(owner)))
    partial.replace(directory / _FILE)


def _bounds(span: "Span") -> dict[str, Any]:
    """Give the bounds that are set, as they read back from JSON."""
    fields = {name: value for name, value in asdict(span).items() if value is not None}
    bounds: dict[str, Any] = orjson.loads(
        orjson.dumps(fields, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)
    )
    return bounds


def _words(bounds: Mapping[str, Any]) -> str:
    return orjson.dumps(bounds).decode() if bounds else "the whole of it"
