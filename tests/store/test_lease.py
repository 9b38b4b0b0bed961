import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from streaming.errors import LeaseHeld, LeaseLost
from streaming.store import lease
from streaming.store.lease import Lease, Process
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES

ASK = "from streaming.store.lease import Process; p = Process.this(); print(p.pid, p.born)"


def nothing() -> None:
    pass


class Time:
    """A clock that sleeping moves, and what happens meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.meanwhile = nothing

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def store(request: pytest.FixtureRequest) -> MemoryStore:
    fresh = MemoryStore(request.node.nodeid)
    fresh.ensure_tables(TABLES)
    return fresh


@pytest.fixture
def time() -> Time:
    return Time()


def holding(store: MemoryStore, time: Time) -> Lease:
    return Lease(store, 10.0, clock=lambda: time.now, sleep=time.sleep)


def test_one_holds_it_and_the_next_waits_for_its_silence(store: MemoryStore, time: Time) -> None:
    first, second = holding(store, time), holding(store, time)
    first.acquire()
    first.beat()
    lease.check(store, first.owner)
    second.acquire()
    assert time.now >= 10.0, "taken from one that may live"
    with pytest.raises(LeaseLost, match="taken over"):
        first.beat()
    with pytest.raises(LeaseLost):
        lease.check(store, first.owner)
    first.release()
    lease.check(store, second.owner)


def test_whoever_beats_keeps_it(store: MemoryStore, time: Time) -> None:
    first, second = holding(store, time), holding(store, time)
    first.acquire()
    time.meanwhile = lambda: first.beat() if time.now > 5 else None
    with pytest.raises(LeaseHeld, match=r"in use by process \d+ on"):
        second.acquire()
    lease.check(store, first.owner)


def test_a_released_one_is_free_at_once(store: MemoryStore, time: Time) -> None:
    first, second = holding(store, time), holding(store, time)
    assert lease.holder(store) is None
    first.acquire()
    first.release()
    assert lease.holder(store) is None
    second.acquire()
    assert time.now == 0


def test_the_process_of_a_dead_neighbour_is_not_waited_for(
    store: MemoryStore, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Process.this()
    assert here.machine, "this machine does not tell"
    child = subprocess.run(
        [sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    pid, born = map(int, child.stdout.split())
    gone = replace(here, pid=pid, born=born)
    assert gone.is_gone()
    assert not here.is_gone()
    assert not replace(gone, machine="another").is_gone()
    monkeypatch.setattr(Process, "this", lambda: gone)
    holding(store, time).acquire()
    monkeypatch.undo()
    holding(store, time).acquire()
    assert time.now == 0


def test_two_that_come_at_once_do_not_both_get_it(store: MemoryStore, time: Time) -> None:
    first, second = holding(store, time), holding(store, time)
    seen = lease._read(store)
    assert first._put(seen)
    assert not second._put(seen)
