"""Which models a micro-batch describes and ranks with, looked up before each one.

The version that is active in the registry is the one that readers shall follow. Until the
lists under it are complete they keep those of the version before, and both are made. So a
version is changed while the query runs, and no list mixes two of them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from streaming.engine import succession
from streaming.errors import ModelsError, SettingsError
from streaming.settings import Settings
from streaming.similar.models import Handle, Models, open_models
from streaming.similar.registry import Registry
from streaming.similar.scoring import Ranking
from streaming.store import ownership
from streaming.store.contract import Store
from streaming.store.models import Models as Known
from streaming.text.pipeline import TextPipeline

_CHECKSUM_LETTERS = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InForce:
    """The models of an attempt: what opens them, by their names, and what the store has."""

    handles: Mapping[str, Handle]
    known: Known

    @cached_property
    def rankings(self) -> dict[str, Ranking]:
        """What a list is under each."""
        return {name: open_models(handle).ranking for name, handle in self.handles.items()}


NO_MODELS = InForce({}, Known(None, {}))


def name_of(handle: Handle) -> str:
    """Give the name of a model in a store: versions of two registries may be called the same."""
    return f"{handle.version}-{handle.checksum[:_CHECKSUM_LETTERS]}"


class Chosen:
    """The models that a query is told to use; raises SettingsError if it cannot use them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._registry = Registry(settings.query.models) if settings.query.models else None
        self._latest: Handle | None = None
        self._told: str | None = None
        if self._registry is not None:
            if not settings.query.lease:
                raise SettingsError(
                    "query.lease is 0, and similar articles are ranked by whoever owns the index:"
                    " give the lease a duration, or leave out query.models"
                )
            self._latest = self._registry.handle()
            self._check(open_models(self._latest))

    def in_force(self, store: Store) -> InForce:
        """Give what the next batch uses; notes in the store which models it has lists of.

        To be called by the owner of the index, between two batches.
        """
        chosen = self._choose()
        if chosen is None:
            return NO_MODELS
        handles = {name_of(chosen): chosen}

        def is_known(followed: str) -> bool:
            handles.update(self._named(followed))
            return followed in handles

        known = succession.take_up(store, name_of(chosen), is_known)
        self._tell(name_of(chosen), known)
        return InForce(handles, known)

    def _tell(self, name: str, known: Known) -> None:
        """Say once what a chosen model still needs."""
        if name == self._told:
            return
        self._told = name
        if not known.logs[name].filled:
            _log.info(
                "%s does not know what was judged before: leitong replay --vectors-only tells it,"
                " beside this query, and then readers follow its lists",
                name,
            )

    def finished(self, store: Store, name: str) -> None:
        """Note that all articles of a model's log were ranked."""
        if self._latest and succession.finished(store, name_of(self._latest), name):
            _log.info("readers follow the lists under %s", name)

    def _choose(self) -> Handle | None:
        """Give the active version; while the registry is away, the one that was."""
        if self._registry is None:
            return None
        try:
            handle = self._registry.handle()
            if handle != self._latest:
                self._check(open_models(handle))
            self._latest = handle
        except (ModelsError, SettingsError) as error:
            _log.warning("the models stay those of %s: %s", self._latest, error)
        return self._latest

    def _named(self, name: str) -> dict[str, Handle]:
        """Give the version that readers still follow, if the registry has it."""
        if self._registry is None:
            return {}
        try:
            handle = self._registry.handle(name.rpartition("-")[0])
        except ModelsError as error:
            _log.warning("the lists under %s stay as they are: %s", name, error)
            return {}
        return {name: handle} if name_of(handle) == name else {}

    def _check(self, version: Models) -> None:
        window, kept = version.ranking.window_ms, self._settings.matching.window
        if window > kept:
            raise SettingsError(
                f"{version.handle.location}: its lists reach further back than matching.window,"
                " and what is older may be forgotten: train with a smaller --window, or set"
                " matching.window"
            )
        trained, now = version.manifest.text, TextPipeline(self._settings.text).words_stamp()
        if trained and trained != now:
            differing = ", ".join(ownership.differing(trained, now))
            _log.warning(
                "%s was trained on words cut in another way (%s): lists are better with models"
                " trained under the settings in force",
                version.version,
                differing,
            )
