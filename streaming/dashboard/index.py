"""The index as the page sees it: the one that is meant now, or why there is none."""

import time
from pathlib import Path
from threading import Lock

from streaming.errors import StoreUnavailable
from streaming.settings import Settings
from streaming.store.contract import Store
from streaming.store.opening import open_catalogue, open_index, resolved
from streaming.store.tables import TABLES
from streaming.store.urls import absolute_url

_KEPT_SECONDS = 5.0


class NoIndex(Exception):  # noqa: N818 - a state, no error
    """There is no index yet: no query ever ran on this store."""


class Index:
    """Opens the index of the settings; which generation is meant is asked for now and then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._until = 0.0
        self._resolved = settings
        self._file = _sqlite_file(settings)
        self._inode: int | None = None

    def open(self) -> tuple[Store, Settings]:
        """Give the index and settings that name its generation.

        NoIndex if there is none yet, StoreUnavailable if it was there and is gone.
        """
        with self._lock:
            self._look_at_file()
            if time.monotonic() > self._until:
                self._resolved = resolved(self._settings)
                if open_index(self._resolved).missing_tables(TABLES):
                    raise NoIndex
                self._until = time.monotonic() + _KEPT_SECONDS
            return open_index(self._resolved), self._resolved

    def _look_at_file(self) -> None:
        """See to it that asking does not make an empty file, or read one that was removed."""
        if self._file is None:
            return
        try:
            inode = self._file.stat().st_ino
        except OSError:
            self._until = 0.0
            if self._inode is None:
                raise NoIndex from None
            raise StoreUnavailable(f"{self._file} is gone; put it back, or run a query") from None
        if self._inode not in (None, inode):
            open_index(self._resolved).close()
            open_catalogue(self._settings).close()
        self._inode = inode


def _sqlite_file(settings: Settings) -> Path | None:
    scheme, _, rest = absolute_url(settings.store.url).partition(":")
    return Path(rest.partition("?")[0]) if scheme == "sqlite" else None
