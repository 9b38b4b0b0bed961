"""The catalogue of generations: which there are, and which of them readers follow.

A generation is one set of tables under one stamp of settings. The catalogue is one cell of
a table beside all of them, changed by compare-and-put only: so a generation cannot become
active while it is being dropped, nor the other way round.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import orjson

from streaming.errors import SettingsError
from streaming.store.contract import Store
from streaming.store.tables import CATALOGUE, FIRST_GENERATION

_ROW, _CELL = b"generations", b"catalogue"
_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Generation:
    """An entry of the catalogue.

    ``identity`` tells it from an earlier one of the same name. ``dropping``: some of its
    tables may be gone already.
    """

    name: str
    identity: str
    created_ms: int
    dropping: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The catalogue as of one moment; ``active`` is None before the first query."""

    active: str | None = None
    entries: Mapping[str, Generation] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def followed(self) -> str:
        """The generation that is meant where none is named."""
        return self.active or FIRST_GENERATION

    def entry(self, name: str) -> Generation:
        """Give the entry of this name; SettingsError if there is none."""
        found = self.entries.get(name)
        if found is None:
            known = ", ".join(sorted(self.entries)) or "none yet"
            raise SettingsError(
                f"there is no generation {name!r} (there are: {known}); leitong replay --into"
                f" {name} makes it"
            )
        return found


def read(store: Store) -> Catalogue:
    """Give the catalogue; an empty one if there is none. ``store`` is opened without a prefix."""
    if store.missing_tables([CATALOGUE]):
        return Catalogue()
    return _decode(_cell(store))


def register(store: Store, name: str, created_ms: int, *, activate: bool) -> Generation:
    """Give the entry of a generation, entered now if it is new.

    ``activate`` makes it the active one if there is none. SettingsError if it is being
    dropped.
    """
    store.ensure_tables([CATALOGUE])
    fresh = Generation(name, secrets.token_hex(_ID_BYTES), created_ms)

    def change(known: Catalogue) -> Catalogue:
        if known.entries.get(name, fresh).dropping:
            raise SettingsError(
                f"generation {name} is being dropped: finish that with leitong generations drop"
                f" {name}, or take another name"
            )
        entered = known if name in known.entries else _with(known, fresh)
        active = known.active or (name if activate else None)
        return replace(entered, active=active)

    return _change(store, change).entries[name]


def activate(store: Store, name: str) -> str | None:
    """Make a generation the one that readers follow; gives the one they followed before.

    SettingsError if it is not in the catalogue or is being dropped.
    """
    before: list[str | None] = []

    def change(known: Catalogue) -> Catalogue:
        if known.entry(name).dropping:
            raise SettingsError(f"generation {name} is being dropped and cannot be made active")
        before.append(known.active)
        return replace(known, active=name)

    _change(store, change)
    return before[-1]


def droppable(known: Catalogue, name: str) -> Generation:
    """Give the entry of a generation that may be dropped.

    SettingsError if it is the active one, or not in the catalogue.
    """
    entry = known.entry(name)
    if name == known.followed:
        raise SettingsError(
            f"generation {name} is the active one, readers follow it: make another one"
            " active first, with leitong generations activate NAME"
        )
    return entry


def begin_drop(store: Store, name: str) -> None:
    """Note that the tables of a generation are about to go; may be repeated.

    SettingsError as in `droppable`.
    """

    def change(known: Catalogue) -> Catalogue:
        return _with(known, replace(droppable(known, name), dropping=True))

    _change(store, change)


def end_drop(store: Store, name: str) -> None:
    """Take a generation whose tables are gone out of the catalogue; may be repeated."""

    def change(known: Catalogue) -> Catalogue:
        entry = known.entries.get(name)
        # Somebody else may have ended it, and begun a new one of that name.
        if entry is None or not entry.dropping:
            return known
        return replace(known, entries={k: v for k, v in known.entries.items() if k != name})

    _change(store, change)


def _with(catalogue: Catalogue, entry: Generation) -> Catalogue:
    return replace(catalogue, entries={**catalogue.entries, entry.name: entry})


def _change(store: Store, change: Callable[[Catalogue], Catalogue]) -> Catalogue:
    while True:
        seen = _cell(store)
        known = _decode(seen)
        wanted = change(known)
        if wanted == known or store.compare_and_put(
            CATALOGUE.name, _ROW, _CELL, seen, _encode(wanted)
        ):
            return wanted


def _cell(store: Store) -> bytes | None:
    return store.rows(CATALOGUE.name, [_ROW]).get(_ROW, {}).get(_CELL)


def _encode(catalogue: Catalogue) -> bytes:
    return orjson.dumps(
        {
            "active": catalogue.active,
            "entries": list(catalogue.entries.values()),
            # Two who want the same must not both be told that the change was theirs.
            "change": secrets.token_hex(_ID_BYTES),
        }
    )


def _decode(cell: bytes | None) -> Catalogue:
    if cell is None:
        return Catalogue()
    document = orjson.loads(cell)
    entries = [Generation(**fields) for fields in document["entries"]]
    return Catalogue(document["active"], {each.name: each for each in entries})
