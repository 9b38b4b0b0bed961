"""Messages of many threads in one log: each thread hears when its own are there."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from producers.committing import Committer, Crowded, NotTaken
from producers.records import Record
from streaming.errors import SourceError
from streaming.sinks import MemorySink


class Log(MemorySink):
    """A log whose flush can be held up, or made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()
        self.free.set()
        self.flushes = 0
        self.failure: Exception | None = None

    def flush(self) -> None:
        self.free.wait(20)
        self.flushes += 1
        if self.failure is not None:
            raise self.failure
        super().flush()


def record(number: int) -> Record:
    return Record(b"k", b"%d" % number, None)


@contextmanager
def committing(log: Log, most: int = 100, patience: float = 5.0) -> Iterator[Committer]:
    committer = Committer(lambda: log, most, patience)
    try:
        yield committer
    finally:
        log.free.set()
        committer.close()


def eventually(condition: threading.Event | object) -> None:
    for _ in range(500):
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.01)
    pytest.fail("it did not come to that")


def test_what_was_committed_is_in_the_log_and_together_if_it_came_together() -> None:
    log = Log()
    with committing(log) as committer, ThreadPoolExecutor(50) as pool:
        log.free.clear()
        first = pool.submit(committer.commit, [record(0)])
        eventually(lambda: len(log.messages) == 1)
        others = [pool.submit(committer.commit, [record(n), record(-n)]) for n in range(1, 40)]
        eventually(lambda: len(committer._waiting) == 39)
        assert not any(each.done() for each in (first, *others))
        log.free.set()
        for each in (first, *others):
            each.result(5)
        assert log.acknowledged == len(log.messages) == 79
        assert log.flushes == 2
    assert log.closed


def test_one_too_many_is_told_at_once() -> None:
    log = Log()
    with committing(log, most=3) as committer, ThreadPoolExecutor(3) as pool:
        log.free.clear()
        waiting = [pool.submit(committer.commit, [record(0)])]
        eventually(lambda: len(log.messages) == 1)
        waiting += [pool.submit(committer.commit, [record(n)]) for n in (1, 2)]
        eventually(lambda: len(committer._waiting) == 2)
        with pytest.raises(Crowded, match="3 requests wait"):
            committer.commit([record(3)])
        log.free.set()
        for each in waiting:
            each.result(5)
        committer.commit([record(4)])
    assert [message.value for message in log.messages] == [b"0", b"1", b"2", b"4"]


def test_nobody_waits_longer_than_the_patience() -> None:
    log = Log()
    with committing(log, patience=0.2) as committer:
        log.free.clear()
        with pytest.raises(NotTaken, match="in time"):
            committer.commit([record(0)])
        eventually(lambda: committer.stuck)
        began = time.monotonic()
        with pytest.raises(NotTaken, match="does not answer"):
            committer.commit([record(1)])
        assert time.monotonic() - began < 0.2
        log.free.set()
        eventually(lambda: not committer.stuck)
        committer.commit([record(2)])
    assert [message.value for message in log.messages] == [b"0", b"2"]


@pytest.mark.parametrize("failure", [SourceError("the broker is gone"), RuntimeError("a mistake")])
def test_after_a_failure_the_log_is_opened_anew(failure: Exception) -> None:
    logs: list[Log] = []

    def open_log() -> Log:
        logs.append(Log())
        if len(logs) == 1:
            logs[0].failure = failure
        return logs[-1]

    committer = Committer(open_log, 10)
    with pytest.raises(NotTaken, match=str(failure)):
        committer.commit([record(0)])
    committer.commit([record(1)])
    committer.commit([record(2)])
    committer.close()
    assert [[message.value for message in log.messages] for log in logs] == [[b"0"], [b"1", b"2"]]
    with pytest.raises(NotTaken):
        committer.commit([record(3)])


def test_a_log_that_cannot_be_opened_is_tried_again() -> None:
    log, tried = Log(), []

    def open_log() -> Log:
        tried.append(1)
        if len(tried) < 3:
            raise SourceError("no broker can be reached")
        return log

    committer = Committer(open_log, 10)
    for _ in range(2):
        with pytest.raises(NotTaken, match="no broker"):
            committer.commit([record(0)])
    committer.commit([record(1)])
    committer.close()
    assert log.acknowledged == 1
