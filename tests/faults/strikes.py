"""Faults in a running query: which ones, when, and how to make good what they broke."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Literal

from rich.table import Table

from streaming.stack.stack import LocalStack
from tests.faults.feed import Feed
from tests.faults.processes import Process
from tests.faults.query import Query, Stuck, wait_until

Kind = Literal["driver", "worker", "thrift", "hbase", "kafka", "checkpoint", "silence"]

KILLS: tuple[Kind, ...] = ("driver", "worker", "thrift", "hbase", "kafka")
SILENCE_SECONDS = 65.0
"""Longer than Thrift servers keep a silent socket and Spark an idle worker: a minute each."""

_LONGEST_PAUSE_SECONDS = 10.0
_LONGEST_RESTART_SECONDS = 3.0
_RECOVERY_SECONDS = 300.0
_ATTEMPTS = 20
_QUIET_SECONDS = 2.0
_TOLD_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to break.

    ``moment`` is when in a batch, as a part of what the latest batches took. ``pause`` is how
    many seconds what was killed stays away. ``wholly`` kills a driver with its JVM and workers;
    otherwise these have to notice that it is gone, while the next driver may run already.
    """

    kind: Kind
    moment: float
    pause: float
    wholly: bool


@dataclass(frozen=True, slots=True)
class Struck:
    """What came of a fault.

    ``hit`` says that what was killed had been alive. ``batch`` is the batch that was being
    worked on before and after the blow, None if there was none or it ended meanwhile.
    ``failures`` counts batches that failed and were done again until the query had recovered;
    ``seconds`` passed until then.
    """

    fault: Fault
    hit: bool
    batch: int | None
    failures: int
    seconds: float
    detail: str

    def __str__(self) -> str:
        where = f"in batch {self.batch}" if self.batch is not None else "between batches"
        again = f"{self.failures} failed, done again" if self.failures else "nothing failed"
        words = [self.fault.kind.ljust(10), where.ljust(15), again.ljust(22)]
        return f"{' '.join(words)} next batch after {self.seconds:5.1f} s  {self.detail}"


def plan(seed: int, each: int) -> Iterator[Fault]:
    """Give ``each`` kills of every kind in random order, a silence and a lost checkpoint."""
    random = Random(seed)
    kinds = [kind for kind in KILLS for _ in range(each)]
    random.shuffle(kinds)
    # What reads the log again mends what was lost before: most faults come after it.
    kinds.insert(len(kinds) // random.randint(4, 6), "checkpoint")
    kinds.insert(random.randint(len(kinds) // 3, len(kinds)), "silence")
    for kind in kinds:
        longest = _LONGEST_RESTART_SECONDS if kind == "driver" else _LONGEST_PAUSE_SECONDS
        yield Fault(kind, random.random(), random.uniform(0, longest), random.random() < 0.5)


class Striker:
    """Breaks a running query and its servers, and mends them again."""

    def __init__(self, stack: LocalStack, query: Query, feed: Feed) -> None:
        self._stack = stack
        self._query = query
        self._feed = feed

    def strike(self, fault: Fault) -> Struck:
        """Break one thing, mend it, and wait for the next finished batch; Stuck without one."""
        if fault.kind == "silence":
            return self._silence(fault)
        worker = self._await_moment(fault)
        failures = self._query.failures()
        before = self._query.progress()
        began = time.monotonic()
        match fault.kind:
            case "driver":
                hit, detail = self._query.kill(wholly=fault.wholly), _who(fault)
            case "checkpoint":
                hit, detail = self._query.kill(wholly=True), "removed: all is read again"
            case "thrift" | "hbase" | "kafka":
                hit, detail = self._stack.kill(fault.kind), f"away for {fault.pause:.1f} s"
            case _:
                hit, detail = worker is not None and worker.kill(), "one of Spark's Python workers"
        after = self._query.progress()
        untouched = before.in_batch and after.finished == before.finished
        finished = self._mend(fault)
        self._await_finished(finished)
        return Struck(
            fault,
            hit,
            before.begun if untouched else None,
            self._query.failures() - failures,
            time.monotonic() - began,
            detail,
        )

    def _mend(self, fault: Fault) -> int:
        """Start again what was killed; gives the batch after which a finished one is a new one."""
        finished = self._query.progress().finished
        match fault.kind:
            case "driver":
                time.sleep(fault.pause)
                self._query.start()
            case "checkpoint":
                shutil.rmtree(self._query.checkpoint)
                finished = -1
                self._query.start()
            case "thrift" | "hbase" | "kafka":
                time.sleep(fault.pause)
                self._stack.start(fault.kind)
                finished = self._query.progress().finished
            case _:
                pass
        return finished

    def _silence(self, fault: Fault) -> Struck:
        self._feed.pause()
        failures = self._query.failures()
        self._await_quiet()
        before = len(self._query.workers())
        time.sleep(SILENCE_SECONDS)
        after = len(self._query.workers())
        finished = self._query.progress().finished
        began = time.monotonic()
        self._feed.resume()
        self._await_finished(finished)
        return Struck(
            fault,
            hit=True,
            batch=None,
            failures=self._query.failures() - failures,
            seconds=time.monotonic() - began,
            detail=f"{SILENCE_SECONDS:.0f} s; workers: {before} before, {after} after",
        )

    def _await_moment(self, fault: Fault) -> Process | None:
        """Return at the fault's moment of a batch, or when it comes if no batch lasts that long.

        Gives the worker to kill, where one is to be killed.
        """
        worker = None
        for _ in range(_ATTEMPTS):
            self._await_beginning()
            time.sleep(fault.moment * self._query.batch_seconds())
            if fault.kind == "worker":
                worker = self._query.working()
            if self._query.progress().in_batch and (worker or fault.kind != "worker"):
                break
        return worker

    def _await_beginning(self) -> None:
        last = self._query.progress().begun
        self._wait(lambda: self._query.progress().begun > last, "a new batch")

    def _await_finished(self, last: int) -> None:
        self._wait(lambda: self._query.progress().finished > last, "a finished batch")

    def _await_quiet(self) -> None:
        since = time.monotonic()
        seen = self._query.progress()

        def quiet() -> bool:
            nonlocal since, seen
            now = self._query.progress()
            if now != seen or now.in_batch:
                since, seen = time.monotonic(), now
            return time.monotonic() - since > _QUIET_SECONDS

        self._wait(quiet, "the end of the work")

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        def there() -> bool:
            if not self._query.running():
                told = self._query.told()[-_TOLD_CHARACTERS:]
                raise Stuck(f"the query ended by itself; the end of {self._query.log}:\n{told}")
            return true()

        wait_until(there, f"{what} of the query ({self._query.log})", _RECOVERY_SECONDS)


def _who(fault: Fault) -> str:
    return "with its JVM" if fault.wholly else "its JVM left to notice"


def summary(struck: Sequence[Struck]) -> Table:
    """Sum up by kind."""
    table = Table("", "times", "in a batch", "batches failed", "recovered after", box=None)
    for kind in dict.fromkeys(each.fault.kind for each in struck):
        of_kind = [each for each in struck if each.fault.kind == kind]
        seconds = [each.seconds for each in of_kind]
        table.add_row(
            kind,
            str(sum(each.hit for each in of_kind)),
            str(sum(each.batch is not None for each in of_kind)),
            str(sum(each.failures for each in of_kind)),
            f"{median(seconds):.1f} s, at most {max(seconds):.1f} s",
        )
    return table
