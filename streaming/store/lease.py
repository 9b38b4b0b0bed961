"""One query per index: a lease that its holder keeps alive by beating.

Kept in one cell of the ``meta`` table and changed by compare-and-put only. No clock is
compared with another machine's: a lease whose beat did not change while a contender
watched it for its whole duration is dead. Verdicts do not rest on it, tokens and marks see
to them; it keeps two queries from doing each other's work.
"""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from streaming.errors import LeaseHeld, LeaseLost
from streaming.store.contract import Store
from streaming.store.ownership import META

_ROW, _CELL = b"lease", b"lease"
_WATCH_SECONDS = 0.25
_AFTER_STATE = 19  # the 22nd field of /proc/PID/stat, counted from behind the command's name

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """A process that can be told from all others, of this and of other machines.

    ``machine`` names its machine since the latest boot and its namespace of processes, ""
    where the system does not tell; ``born`` is when it started, in ticks since that boot.
    """

    host: str
    pid: int
    machine: str
    born: int

    @classmethod
    def this(cls) -> "Process":
        """Give the process that asks."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, _machine(), _born(pid) or 0)

    def is_gone(self) -> bool:
        """Whether it is known to have ended; False for a process of another machine."""
        return bool(self.machine) and self.machine == _machine() and _born(self.pid) != self.born


@dataclass(frozen=True, slots=True)
class Holder:
    """What the cell says: who holds the index, and how often it has beaten.

    ``owner`` is the name of one holding, "" once it is released.
    """

    owner: str
    beat: int
    duration_ms: int
    since_ms: int
    process: Process

    def encode(self) -> bytes:
        """Encode as the cell's value; no two holdings ever write the same."""
        return orjson.dumps(asdict(self))

    @classmethod
    def decode(cls, cell: bytes) -> "Holder":
        """Read `encode`'s bytes."""
        fields = orjson.loads(cell)
        return cls(**fields | {"process": Process(**fields["process"])})

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since_ms / 1000))
        return f"process {self.process.pid} on {self.process.host}, since {since}"


class Lease:
    """One holding of an index.

    ``duration`` is in seconds. It is to be beaten several times within that; after it
    without a beat anybody may take the index over.
    """

    def __init__(
        self,
        store: Store,
        duration: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._me = Holder(
            secrets.token_hex(8),
            0,
            int(duration * 1000),
            int(time.time() * 1000),
            Process.this(),
        )

    @property
    def owner(self) -> str:
        """The name of this holding, for `check`."""
        return self._me.owner

    def acquire(self) -> None:
        """Take the index; LeaseHeld if somebody else's lease is seen to live.

        Waits for as long as the other lease lasts at most: at once if it was released or
        its process on this machine is gone.
        """
        seen = _read(self._store)
        watched_since = self._clock()
        while not self._take(seen):
            latest = _read(self._store)
            if latest != seen:
                if seen is not None and latest is not None and _same_holder(seen, latest):
                    raise LeaseHeld(
                        f"the index is in use by {Holder.decode(latest)}: one query owns an"
                        " index; stop that one, or work on another index or generation"
                    )
                seen, watched_since = latest, self._clock()
            elif seen is not None:
                holder = Holder.decode(seen)
                watched = self._clock() - watched_since
                if watched >= holder.duration_ms / 1000:
                    if self._put(seen):
                        _log.warning("took the index over from %s, which is silent", holder)
                        return
                elif watched == 0:
                    _log.info(
                        "the index is held by %s; waiting up to %.0f s to see whether it lives",
                        holder,
                        holder.duration_ms / 1000,
                    )
                self._sleep(_WATCH_SECONDS)

    def _take(self, seen: bytes | None) -> bool:
        """Take the index if nobody can still hold it."""
        if seen is not None:
            holder = Holder.decode(seen)
            if holder.owner and not holder.process.is_gone():
                return False
        return self._put(seen)

    def beat(self) -> None:
        """Tell that the holder lives; LeaseLost if the index has another owner by now."""
        seen = _read(self._store)
        if not self._is_mine(seen) or not self._put(seen):
            raise LeaseLost(_lost(_read(self._store)))

    def release(self) -> None:
        """Leave the index to whoever comes next, if it is still ours."""
        seen = _read(self._store)
        if self._is_mine(seen):
            self._store.compare_and_put(
                META, _ROW, _CELL, seen, replace(self._me, owner="", beat=self._me.beat).encode()
            )

    def _is_mine(self, seen: bytes | None) -> bool:
        return seen is not None and Holder.decode(seen).owner == self._me.owner

    def _put(self, seen: bytes | None) -> bool:
        """Replace what was seen by our next beat."""
        self._me = replace(self._me, beat=self._me.beat + 1)
        return self._store.compare_and_put(META, _ROW, _CELL, seen, self._me.encode())


def check(store: Store, owner: str) -> None:
    """Make sure that a holding still owns the index; LeaseLost if it does not.

    Called before each part of the work, so that a query that was taken over stops soon.
    """
    seen = _read(store)
    if seen is None or Holder.decode(seen).owner != owner:
        raise LeaseLost(_lost(seen))


def holder(store: Store) -> Holder | None:
    """Give who holds the index, living or dead; None if nobody does."""
    seen = _read(store)
    found = Holder.decode(seen) if seen else None
    return found if found and found.owner else None


def _read(store: Store) -> bytes | None:
    return store.rows(META, [_ROW]).get(_ROW, {}).get(_CELL)


def _same_holder(one: bytes, other: bytes) -> bool:
    return Holder.decode(one).owner == Holder.decode(other).owner != ""


def _lost(seen: bytes | None) -> str:
    owner = Holder.decode(seen) if seen else None
    taken = f"{owner} has it" if owner and owner.owner else "nobody has it now"
    return f"the index was taken over while this query was silent: {taken}"


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _born(pid: int) -> int | None:
    """Give when a process started; None if there is none. A dead one that is not reaped is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *rest = fields.rpartition(")")[2].split()
    return None if state in "ZX" else int(rest[_AFTER_STATE - 1])
