"""From one model to the next while articles go on coming: whose lists are made, and read.

The model that is chosen is the one that readers shall follow. Until everything that was
judged before has its place in its log, and was ranked, they keep the one before, and both
are kept up. Every step may be done again; only the owner of the index does them.
"""

from collections.abc import Callable, Collection, Iterable

from streaming.store import models, ownership, similar
from streaming.store.contract import Store
from streaming.store.models import FROM_THE_START, Models


def take_up(store: Store, chosen: str, is_known: Callable[[str], bool]) -> Models:
    """Note before a batch that it works with a chosen model; gives those to work with.

    ``is_known`` tells of another model that readers follow whether it can still be used.
    A model that was left and is taken up again begins anew: what happened in between is not
    in its log.
    """
    known = models.read(store)
    if chosen not in known.logs:
        fresh = known.followed is None and ownership.latest(store) is None
        models.begin(store, chosen, FROM_THE_START if fresh else ownership.next_token(store))
    followed = known.followed
    if followed is None:
        models.follow(store, chosen)
        followed = chosen
    kept = {chosen} | {name for name in (followed,) if name != chosen and is_known(name)}
    for name in known.logs.keys() - kept:
        models.forget(store, name)
    logs = models.read(store).logs
    return Models(followed, {name: logs[name] for name in kept if name in logs})


def behind(known: Models, ranked: Collection[bytes]) -> list[str]:
    """Give the models whose logs are filled, but not known to be ranked as a whole.

    ``ranked`` holds since when the logs count of which that is known.
    """
    return [name for name, log in known.logs.items() if log.filled and log.since not in ranked]


def scopes_to_rank(
    store: Store, known: Models, touched: Iterable[tuple[str, str]], waiting: Iterable[str]
) -> list[tuple[str, str]]:
    """Give models and scopes: those where something was judged, and all of waiting models.

    Under a model whose log is not filled yet nobody is ranked: an article would be ranked
    against those of its own time only, and not again.
    """
    of_filled = ((name, scope) for name, scope in touched if known.logs[name].filled)
    all_of_waiting = ((name, scope) for name in waiting for scope in similar.scopes(store, name))
    return sorted({*of_filled, *all_of_waiting})


def finished(store: Store, chosen: str, name: str) -> bool:
    """Note that everything in a model's log was ranked; says whether readers follow it now."""
    if name != chosen or models.read(store).followed == name:
        return False
    models.follow(store, name)
    return True
