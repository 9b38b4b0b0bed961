"""What would be said of a draft, for those who ask over HTTP before they publish it."""

import time
from collections.abc import Callable
from threading import BoundedSemaphore, Lock
from typing import Any

from streaming.checking import check
from streaming.drafts import Draft, parse_document, read_draft
from streaming.enrichment import Enricher
from streaming.errors import SettingsError
from streaming.settings import Settings
from streaming.stamping import stamp
from streaming.store import ownership
from streaming.store.contract import Store
from streaming.store.opening import open_catalogue, open_index, resolved

MOST_AT_ONCE = 8
"""Drafts that are looked at at a time: more would only wait for each other."""


_ANY = b'{"body": "draft", "channel": "draft"}'


class Busy(Exception):  # noqa: N818 - what it is just now
    """As many drafts are looked at as one process can."""


class BadDraft(Exception):  # noqa: N818 - what the draft is, not an error of ours
    """What was sent is no article; the text says why."""


class Checks:
    """Checks drafts against the index that readers follow, which may change meanwhile.

    Reads only. Safe for several threads.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, clock
        self._enricher = Enricher(settings)
        self._reading = Lock()
        self._free = BoundedSemaphore(MOST_AT_ONCE)
        self._index: tuple[str | None, Store] | None = None
        self._opening = Lock()
        self._rules = settings.matching.rules()

    def open(self) -> None:
        """Open the index now, and load what texts are read with.

        SettingsError if the index was not built under these settings, or nothing is in it yet.
        """
        self._store()
        self._read(_ANY)

    def answer(self, content: bytes) -> dict[str, Any]:
        """Give the verdict of one article as JSON, with its evidence, as `leitong check` does.

        Raises `BadDraft`, `Busy`, and LeitongError if the index cannot be asked.
        """
        if not self._free.acquire(blocking=False):
            raise Busy
        try:
            draft = self._read(content)
            now_ms = int(self._clock() * 1000)
            return check(self._store(), self._rules, draft, now_ms, None).fields()
        finally:
            self._free.release()

    def close(self) -> None:
        """Let go of connections to the store."""
        open_catalogue(self._settings).close()
        if self._index is not None:
            self._index[1].close()

    def _read(self, content: bytes) -> Draft:
        try:
            document = parse_document(content, "the draft")
            # What an enricher has loaded is for one thread at a time.
            with self._reading:
                return read_draft(document, self._settings, "the draft", enricher=self._enricher)
        except SettingsError as error:
            raise BadDraft(str(error)) from None

    def _store(self) -> Store:
        meant = resolved(self._settings)
        with self._opening:
            if self._index is None or self._index[0] != meant.store.generation:
                store = open_index(meant)
                ownership.confirm(store, stamp(meant))
                self._index = meant.store.generation, store
            return self._index[1]
