"""Look at the generations of an index, make one active, drop one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streaming.errors import SettingsError
from streaming.query.keeper import LeaseKeeper
from streaming.query.progress import read_offsets, read_progress
from streaming.settings import Settings
from streaming.stamping import stamp
from streaming.store import generations, ownership
from streaming.store.contract import Store
from streaming.store.generations import Catalogue, Generation
from streaming.store.lease import Holder, Lease, holder
from streaming.store.opening import open_catalogue, open_generation
from streaming.store.ownership import META
from streaming.store.tables import TABLES

_DROPPING_LEASE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of a generation without reading its articles.

    ``differing`` names the settings under which it was built that are not those in force;
    it is None if the generation was never used. ``records`` counts what was read of the
    log, and ``progress`` is what its query published last.
    """

    entry: Generation
    active: bool
    differing: Sequence[str] | None = None
    holder: Holder | None = None
    records: int = 0
    progress: dict[str, Any] | None = None


def survey(settings: Settings) -> list[Overview]:
    """Give all generations, the oldest first."""
    known = generations.read(open_catalogue(settings))
    in_force = stamp(settings) if known.entries else {}
    found = []
    for entry in sorted(known.entries.values(), key=lambda each: (each.created_ms, each.name)):
        active = entry.name == known.active
        store = open_generation(settings, entry.name)
        if store.missing_tables(TABLES):
            found.append(Overview(entry, active))
            continue
        stored = ownership.read_stamp(store)
        found.append(
            Overview(
                entry,
                active,
                None if stored is None else ownership.differing(stored, in_force),
                holder(store),
                sum(read_offsets(store).values()),
                read_progress(store),
            )
        )
    return found


def open_complete(settings: Settings, name: str) -> Store:
    """Give the store of a generation that can be read; SettingsError if it is not in use yet."""
    return _complete(settings, generations.read(open_catalogue(settings)), name)


def _complete(settings: Settings, known: Catalogue, name: str) -> Store:
    entry = known.entry(name)
    if entry.dropping:
        raise SettingsError(f"generation {name} is being dropped, and part of it may be gone")
    store = open_generation(settings, name)
    if store.missing_tables(TABLES) or ownership.read_stamp(store) is None:
        raise SettingsError(
            f"generation {name} has nothing in it yet: fill it with leitong replay --into {name}"
        )
    return store


def records_behind(store: Store, other: Store) -> int | None:
    """Count the records of the log that ``other`` has read and ``store`` has not.

    None if the two are known to read different logs. A replay of a part of the log counts
    as if it had read what lies before that part.
    """
    mine, its = read_progress(store), read_progress(other)
    if mine and its and mine["source"] != its["source"]:
        return None
    read = read_offsets(store)
    return sum(max(0, end - read.get(place, 0)) for place, end in read_offsets(other).items())


def activate(settings: Settings, name: str, *, anyway: bool = False) -> str | None:
    """Make readers follow a generation; gives the one they followed, None if there was none.

    SettingsError if nothing is in it, or, unless ``anyway``, if it has read less of the log
    than the one that is active: readers would see articles disappear. What a running query
    is about to do in its next batch is not held against it.
    """
    catalogue = open_catalogue(settings)
    known = generations.read(catalogue)
    store = _complete(settings, known, name)
    if known.active not in {None, name} and not anyway:
        followed = open_generation(settings, known.followed)
        behind = None if followed.missing_tables(TABLES) else records_behind(store, followed)
        if behind and behind > (settings.query.max_batch if _may_live(holder(store)) else 0):
            raise SettingsError(
                f"generation {name} has not read the latest {behind:,} records that"
                f" {known.active} has: let it catch up, with leitong replay --into {name} or"
                f" leitong run --generation {name}, or activate it --anyway"
            )
    return generations.activate(catalogue, name)


def drop(settings: Settings, name: str, *, anyway: bool = False) -> None:
    """Remove a generation with everything in it; one that broke off is finished.

    SettingsError if it is the active one, or if a query may be at work on it. ``anyway``
    watches the lease of such a query for as long as it lasts and drops the generation if it
    is silent; LeaseHeld if it lives. A query that runs without a lease is not noticed.
    """
    catalogue = open_catalogue(settings)
    generations.droppable(generations.read(catalogue), name)
    store = open_generation(settings, name)
    if META not in store.missing_tables(TABLES):
        found = holder(store)
        if found is not None and _may_live(found) and not anyway:
            raise SettingsError(
                f"generation {name} is in use by {found}: stop that query; if it is gone for"
                " good, --anyway watches for its sign of life and drops the generation if there"
                " is none"
            )
        seconds = (settings.query.lease or _DROPPING_LEASE_MS) / 1000
        # Held meanwhile, so that no query begins on tables that are about to go.
        with LeaseKeeper(Lease(store, seconds), seconds) as keeper:
            generations.begin_drop(catalogue, name)
            keeper.confirm()
            store.drop_tables([spec for spec in TABLES if spec.name != META])
    generations.begin_drop(catalogue, name)
    store.drop_tables(TABLES)
    generations.end_drop(catalogue, name)


def _may_live(found: Holder | None) -> bool:
    return found is not None and not found.process.is_gone()
