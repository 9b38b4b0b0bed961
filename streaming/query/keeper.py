"""Keeps the lease of a running query alive, on a thread of its own."""

import logging
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from streaming.errors import LeaseLost, StoreError
from streaming.store.lease import Lease

_BEATS_PER_DURATION = 4

_log = logging.getLogger(__name__)


class LeaseKeeper:
    """Holds a lease for as long as the context lasts, and says when it is lost.

    Entering raises LeaseHeld if another query owns the index.
    """

    def __init__(self, lease: Lease, duration: float) -> None:
        self._lease = lease
        self._pause = duration / _BEATS_PER_DURATION
        self._lost: LeaseLost | None = None
        self._ending = threading.Event()
        self._beating = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._lease.acquire()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()
        # If the store is away, the next query waits until this lease is dead.
        with suppress(StoreError):
            self._lease.release()

    @property
    def lost(self) -> bool:
        """Whether another query is known to own the index."""
        return self._lost is not None

    def confirm(self) -> None:
        """Make sure that the index is still ours; LeaseLost if it is not."""
        if self._lost is None:
            with self._beating:
                self._beat()
        if self._lost is not None:
            raise self._lost

    def _beat(self) -> None:
        try:
            self._lease.beat()
        except LeaseLost as error:
            self._lost = error

    def _run(self) -> None:
        while not self._ending.wait(self._pause) and not self.lost:
            try:
                with self._beating:
                    self._beat()
            except StoreError as error:
                # Nobody else can take the index over either while its store is away.
                _log.debug("the lease could not be renewed: %s", error)
