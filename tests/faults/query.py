"""The query as a user runs it, in a process of its own that can be killed and started again."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import orjson

from tests.faults import processes
from tests.faults.processes import Process

_FAILED = "will be done again"
_POLL_SECONDS = 0.02
_DEATH_SECONDS = 30.0
# At the rate at which /proc counts, less than this cannot be told from nothing.
_GLANCE_SECONDS = 0.04
_FIRST_BATCH_SECONDS = 5.0
_LONGEST_BATCH_SECONDS = 20.0
_DAEMONS = ("streaming.query.daemon", "pyspark.daemon")


class Stuck(Exception):  # noqa: N818 - what became of what was waited for
    """What was waited for did not come."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The last batch that Spark noted as begun, and the last it noted as finished; -1: none."""

    begun: int
    finished: int

    @property
    def in_batch(self) -> bool:
        """Whether a batch was begun that is not finished."""
        return self.begun > self.finished


class Query:
    """``leitong run``, with every option given, over one checkpoint in ``directory``.

    Each start writes a log of its own. It leads a session, by which what it starts is found.
    """

    def __init__(self, directory: Path, options: Sequence[str]) -> None:
        self.directory = directory
        self.checkpoint = directory / "checkpoint"
        self._options = [*options, "--checkpoint", str(self.checkpoint)]
        self._process: subprocess.Popen[bytes] | None = None
        self.sessions: list[int] = []
        directory.mkdir(parents=True, exist_ok=True)

    def start(self, *more: str, before: Sequence[str] = ()) -> None:
        """Start it in the background; ``before`` is a command that runs it."""
        command = [*before, sys.executable, "-m", "streaming", "run", *self._options, *more]
        log = self.directory / f"query-{len(self.sessions) + 1:02d}.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command, cwd=self.directory, stdout=out, stderr=out, start_new_session=True
            )
        self.sessions.append(self._process.pid)

    @property
    def log(self) -> Path:
        """The log of the last start."""
        return self.directory / f"query-{len(self.sessions):02d}.log"

    def told(self) -> str:
        """What it said since its last start."""
        return self.log.read_text(errors="replace")

    def failures(self) -> int:
        """How often a batch failed, over all starts."""
        logs = self.directory.glob("query-*.log")
        return sum(log.read_text(errors="replace").count(_FAILED) for log in logs)

    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def wait(self, seconds: float) -> int:
        """Wait for its end and give its exit status; Stuck if it takes longer."""
        if self._process is None:
            raise ValueError("the query was never started")
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Stuck(f"the query did not end within {seconds:.0f} s: {self.log}") from None

    def stop(self, seconds: float = 120) -> int:
        """Ask it to stop after the batch in hand; its exit status."""
        if self._process is not None and self.running():
            self._process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self, *, wholly: bool) -> bool:
        """End it with SIGKILL; ``wholly`` ends what it started as well, else that has to notice.

        False if it did not run. Returns when the process is dead.
        """
        if self._process is None or not self.running():
            return False
        started = processes.of_session(self._process.pid) if wholly else []
        self._process.kill()
        for process in started:
            process.kill()
        return self._process.wait(_DEATH_SECONDS) == -signal.SIGKILL

    def working(self) -> Process | None:
        """Give a Python worker of Spark that works right now; None if the batch ends before one."""
        while self.progress().in_batch:
            before = {worker.pid: worker.cpu for worker in self.workers()}
            time.sleep(_GLANCE_SECONDS)
            for worker in self.workers():
                if worker.cpu > before.get(worker.pid, worker.cpu):
                    return worker
        return None

    def workers(self) -> list[Process]:
        """Give Spark's Python workers.

        One is a child of a daemon, and has the command line of the daemon itself.
        """
        session = processes.of_session(self.sessions[-1])
        daemons = {p.pid for p in session if any(name in p.command for name in _DAEMONS)}
        return [p for p in session if p.pid in daemons and p.parent in daemons]

    def left_behind(self) -> list[Process]:
        """Give processes that earlier, killed starts left running."""
        return [p for leader in self.sessions[:-1] for p in processes.of_session(leader)]

    def clean_up(self) -> None:
        """End everything that any start left running."""
        if self._process is not None and self.running():
            self._process.kill()
            self._process.wait(_DEATH_SECONDS)
        for leader in self.sessions:
            for process in processes.of_session(leader):
                process.kill()

    def progress(self) -> Progress:
        """Say how far it is by its checkpoint."""
        return Progress(_last(self.checkpoint / "offsets"), _last(self.checkpoint / "commits"))

    def read(self) -> int:
        """How many records of the log are in the batches that were begun."""
        begun = self.progress().begun
        try:
            offsets = orjson.loads(
                (self.checkpoint / "offsets" / str(begun)).read_bytes().splitlines()[-1]
            )
        except FileNotFoundError:
            return 0
        return sum(sum(partitions.values()) for partitions in offsets.values())

    def batch_seconds(self, count: int = 5) -> float:
        """Say how long the latest batches took, the median."""
        taken = []
        last = self.progress().finished
        for number in range(max(0, last - count + 1), last + 1):
            try:
                begun = (self.checkpoint / "offsets" / str(number)).stat().st_mtime
                ended = (self.checkpoint / "commits" / str(number)).stat().st_mtime
            except FileNotFoundError:
                continue
            taken.append(ended - begun)
        # One that was done again began long ago.
        return min(median(taken), _LONGEST_BATCH_SECONDS) if taken else _FIRST_BATCH_SECONDS


def wait_until(true: Callable[[], bool], what: str, seconds: float) -> None:
    """Wait for something; Stuck, with ``what``, if it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise Stuck(f"{what}: not within {seconds:.0f} s")
        time.sleep(_POLL_SECONDS)


def _last(directory: Path) -> int:
    """Give the largest number that names a file; what Spark writes there first has other names."""
    try:
        return max((int(p.name) for p in directory.iterdir() if p.name.isdecimal()), default=-1)
    except FileNotFoundError:
        return -1
