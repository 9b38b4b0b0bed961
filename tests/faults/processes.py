"""Find the processes that a query started, and end exactly the one that is meant."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc told of it; ``started`` is in clock ticks since the boot.

    ``cpu`` is in seconds, its own and the kernel's for it.
    """

    pid: int
    parent: int
    started: int
    cpu: float
    command: str

    def kill(self) -> bool:
        """End it with SIGKILL; False if this very process does not run any more."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            now = _look(self.pid)
            if now is None or now[1].started != self.started:
                return False
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True


def of_session(leader: int) -> list[Process]:
    """Processes of the session that ``leader`` leads or led, without those that are dead.

    A child keeps the session whatever group it makes for itself, and when its parent dies.
    """
    return [process for session, process in _all() if session == leader]


def environment(pid: int) -> dict[str, str]:
    """Give the environment that a process was started with; empty if it is gone."""
    try:
        content = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in content.split(b"\0") if entry)
    return {name.decode(): value.decode(errors="replace") for name, _, value in pairs}


def _all() -> Iterator[tuple[int, Process]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (found := _look(int(entry.name))):
            yield found


def _look(pid: int) -> tuple[int, Process] | None:
    try:
        # The name, in parentheses, may hold spaces and parentheses: count from its end.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return None
    if fields[0] in {"Z", "X"}:
        return None
    cpu = (int(fields[11]) + int(fields[12])) / _TICKS
    told = command.decode(errors="replace").strip()
    return int(fields[3]), Process(pid, int(fields[1]), int(fields[19]), cpu, told)
