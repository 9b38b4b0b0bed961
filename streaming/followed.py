"""The lists that readers follow, for whoever asks from outside the query.

Their model is the one that the index names, whatever version is active in the registry: a
version that was just activated has no lists until the query has made all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from streaming.engine.ranking import catch_up
from streaming.errors import ModelsError
from streaming.query.in_force import name_of
from streaming.settings import Settings
from streaming.similar.models import Models, open_models
from streaming.similar.registry import Registry
from streaming.similar.view import View
from streaming.store import models
from streaming.store.contract import Store
from streaming.store.models import Log
from streaming.store.opening import located
from streaming.viewing import view_directory


@dataclass(frozen=True, slots=True)
class Followed:
    """The model whose lists readers follow: its name and log in the index, and its tables."""

    name: str
    log: Log
    models: Models


def followed_name(store: Store) -> str:
    """Give the name of the model that readers follow; ModelsError if there are no lists yet."""
    return _followed(store)[0]


def open_followed(store: Store, url: str) -> Followed:
    """Open the model that readers follow, from the registry at ``url``.

    ModelsError if there are no lists yet, or the registry has no such version.
    """
    name, log = _followed(store)
    cure = f"readers follow the lists under {name}: name the models of leitong run with --models"
    try:
        handle = Registry(url).handle(name.rpartition("-")[0])
        opened = open_models(handle)
    except ModelsError as error:
        raise ModelsError(f"{error}; {cure}") from error
    if name_of(handle) != name:
        raise ModelsError(f"{handle.location}: has the checksum {handle.checksum[:8]}; {cure}")
    return Followed(name, log, opened)


@contextmanager
def open_view(settings: Settings, store: Store, followed: Followed, scope: str) -> Iterator[View]:
    """Give the view of a scope as its log is now; nothing is written to the store.

    It is the one that this host keeps, brought up to date, and in nobody else's hands
    meanwhile: that waits while the query ranks the scope here. Where it cannot be kept, it is
    made in memory. The settings must name the generation.
    """
    ranking = followed.models.ranking
    home = view_directory(located(settings), followed.name, followed.log, scope)
    try:
        view = _caught_up(View(ranking, home), store, followed, scope)
    except OSError:
        view = _caught_up(View(ranking), store, followed, scope)
    with view:
        yield view


def _caught_up(view: View, store: Store, followed: Followed, scope: str) -> View:
    try:
        catch_up(store, view, followed.name, scope, followed.log.since)
    except BaseException:
        view.close()
        raise
    return view


def _followed(store: Store) -> tuple[str, Log]:
    known = models.read(store)
    log = known.logs.get(known.followed or "")
    if known.followed is None or log is None:
        raise ModelsError(
            "the index has no lists of similar articles yet: leitong run --models MODELS makes"
            " them, and leitong replay --vectors-only those of articles that were judged before"
        )
    return known.followed, log
