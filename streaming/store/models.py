"""Of which models an index has lists, and whose lists readers follow.

Kept in the ``meta`` table of a generation and changed by the owner of the index only, but
for one cell per model: that its log has been filled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from streaming.store.contract import Mutation, Store
from streaming.store.ownership import META

FROM_THE_START = bytes(8)
"""Since when a model's log counts that has everything from the first event on."""

_ROW = b"models"
_FOLLOWED = b"followed"
_SINCE, _FILLED = b"since:", b"filled:"


@dataclass(frozen=True, slots=True)
class Log:
    """A model's log in an index: ``since`` is the token before which nothing counts.

    It is ``filled`` when it has the articles, too, that were judged before.
    """

    since: bytes
    filled: bool


@dataclass(frozen=True, slots=True)
class Models:
    """The models of an index; readers use the lists of the ``followed`` one."""

    followed: str | None
    logs: Mapping[str, Log]


def read(store: Store) -> Models:
    """Read which models there are."""
    cells = store.rows(META, [_ROW]).get(_ROW, {})
    logs = {}
    for qualifier, since in cells.items():
        if qualifier.startswith(_SINCE):
            model = qualifier.removeprefix(_SINCE)
            logs[model.decode()] = Log(since, cells.get(_FILLED + model) == since)
    followed = cells.get(_FOLLOWED)
    return Models(None if followed is None else followed.decode(), logs)


def begin(store: Store, model: str, since: bytes) -> None:
    """Begin a model's log; what it had before counts no longer."""
    cells = {_SINCE + model.encode(): since}
    if since == FROM_THE_START:
        cells[_FILLED + model.encode()] = since
    store.mutate(META, [Mutation(_ROW, cells)])


def fill(store: Store, model: str, since: bytes) -> None:
    """Say that a log which began then has all articles."""
    store.mutate(META, [Mutation(_ROW, {_FILLED + model.encode(): since})])


def follow(store: Store, model: str) -> None:
    """Let readers follow a model."""
    store.mutate(META, [Mutation(_ROW, {_FOLLOWED: model.encode()})])


def forget(store: Store, model: str) -> None:
    """Let a model's log no longer count; used again, it begins anew."""
    name = model.encode()
    store.mutate(META, [Mutation(_ROW, {}, (_SINCE + name, _FILLED + name))])
