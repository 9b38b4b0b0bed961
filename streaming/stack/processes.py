"""Start servers that outlive us, and never touch a process that is not ours.

A server is known by its pid, its start time and the boot they belong to. A pid alone may by now
belong to somebody else's process.
"""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A server that we started; `started` is in clock ticks since the boot named `boot`."""

    pid: int
    started: int
    boot: str

    def alive(self) -> bool:
        """Say whether this very process still runs (a dead one nobody has buried does not)."""
        running = self.boot == _boot() and _start_time(self.pid) == self.started
        if not running:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
        return running

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to this very process; False if it is gone.

        The pid is held open while its start time is compared, so it cannot change hands between.
        """
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.alive():
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True

    def wait(self, seconds: float) -> bool:
        """Wait for the end of this process; False if it is still there after `seconds`."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


def spawn(command: Sequence[str], log: Path) -> Process:
    """Start `command` (its program by path) in a session of its own, its output in `log`.

    The log is written anew. The process is not waited for: it stays when we end.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    pid = os.posix_spawn(
        command[0],
        list(command),
        dict(os.environ),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=(),
        # Whoever starts us under nohup must not make servers that cannot be stopped.
        setsigdef=(signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE),
    )
    # Until it is waited for, our child keeps its pid even if it has died already.
    return Process(pid, _stat(pid)[1], _boot())


def save(process: Process, path: Path) -> None:
    """Write the pid file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(json.dumps(asdict(process)) + "\n")
    scratch.replace(path)


def load(path: Path) -> Process | None:
    """Read a pid file; None if there is none, it cannot be read, or its process is gone."""
    try:
        process = Process(**json.loads(path.read_text()))
        return process if process.alive() else None
    except (OSError, ValueError, TypeError):
        return None


def last_lines(log: Path, count: int) -> str:
    """Return the last lines of a log, indented; as much of them as 64 KiB hold."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 65_536))
            lines = stream.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"  {line[:300]}" for line in lines[-count:])


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file; another holder, thread or process, is waited for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_time(pid: int) -> int | None:
    try:
        state, started = _stat(pid)
        # Its first thread is dead at once; its ports and files go with the last one.
        if state in {"Z", "X"} and len(list(Path(f"/proc/{pid}/task").iterdir())) <= 1:
            return None
    except (FileNotFoundError, ProcessLookupError):
        return None
    return started


def _stat(pid: int) -> tuple[str, int]:
    # The name, in parentheses, may hold spaces and parentheses: count fields from its end.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[19])
