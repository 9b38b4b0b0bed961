"""Connections of one process: lent to one thread at a time, never taken over a fork."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class ConnectionPool(Generic[T]):
    """Keeps idle connections for reuse, the last returned first.

    ``close`` ends a connection. ``abandon`` lets go of one that belongs to the parent process
    without the parent noticing; what may not even be finalised here has to be kept by it.
    A connection in whose use *anything* was raised is closed, not returned.
    """

    def __init__(self, close: Callable[[T], None], *, abandon: Callable[[T], None]) -> None:
        self._close = close
        self._abandon = abandon
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = Lock()
        self._idle: list[T] = []
        self._epoch = 0

    @contextmanager
    def connection(
        self, connect: Callable[[], T], usable: Callable[[T], bool] = lambda _: True
    ) -> Iterator[T]:
        """Lend an idle connection that is ``usable``, or one that ``connect`` makes."""
        if os.getpid() != self._pid:
            # Also replaces the lock, which another thread of the parent may have held.
            inherited = self._idle
            self._begin()
            for connection in inherited:
                self._abandon(connection)
        epoch = self._epoch
        connection = self._take(usable) or connect()
        try:
            yield connection
        except BaseException:
            self._close(connection)
            raise
        with self._lock:
            keep = epoch == self._epoch
            if keep:
                self._idle.append(connection)
        if not keep:
            self._close(connection)

    def _take(self, usable: Callable[[T], bool]) -> T | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if usable(connection):
                return connection
            self._close(connection)

    def clear(self) -> None:
        """Close idle connections now and lent ones when they come back."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._epoch += 1
            idle, self._idle = self._idle, []
        for connection in idle:
            self._close(connection)
