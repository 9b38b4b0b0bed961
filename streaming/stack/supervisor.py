"""One server in its stack's directory: its pid file and log, its start, its end, its state."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal

from streaming.stack.jars import Progress
from streaming.stack.ports import LOOPBACK, taken
from streaming.stack.processes import Process, last_lines, load, save, spawn
from streaming.stack.service import Service
from streaming.stack.settings import ServiceName, StackError

_POLL_SECONDS = 0.1
_STOP_SECONDS = 30.0
_LOG_LINES_SHOWN = 15
_PORT_FLAGS: dict[ServiceName, str] = {
    "kafka": "--kafka-port",
    "hbase": "--zookeeper-port",
    "thrift": "--thrift-port",
    "admin": "--thrift-port (admin's is the one after it)",
}

State = Literal["running", "unready", "stopped"]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One server: running, unready (alive, `detail` says what does not work) or stopped.

    `seconds` is how long it took to start or stop, None if this call did neither.
    """

    name: ServiceName
    address: str
    state: State
    pid: int | None = None
    detail: str = ""
    seconds: float | None = None


class Supervisor:
    """Starts, watches and stops one server whose files are under the stack's `directory`."""

    def __init__(self, service: Service, directory: Path) -> None:
        self.service = service
        self.name: ServiceName = service.name
        self.log = directory / "logs" / f"{service.name}.log"
        self.port_flag = _PORT_FLAGS[service.name]
        self._pid_file = directory / "run" / f"{service.name}.json"

    def process(self) -> Process | None:
        """Return the server's process if it is alive."""
        return load(self._pid_file)

    def refuse_taken_ports(self) -> None:
        """Raise StackError if the server, which does not run, could not have its ports."""
        for port in self.service.ports:
            if taken(port):
                raise StackError(
                    f"{self.name}: port {port} of {LOOPBACK} is in use by another program "
                    f"(`ss -ltnp` names it); stop that, or choose another port with "
                    f"{self.port_flag}"
                )

    def start(
        self, java: str, jars: Path, timeout: float, progress: Progress, interrupted: Event
    ) -> ServiceStatus:
        """Start the server, which does not run, and wait as `wait` does."""
        began = time.monotonic()
        progress(f"{self.name}: starting")
        self.service.prepare(java, jars)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        process = spawn(self.service.command(java, jars), self.log)
        save(process, self._pid_file)
        self.wait(process, timeout - (time.monotonic() - began), interrupted)
        seconds = time.monotonic() - began
        progress(f"{self.name}: ready after {seconds:.1f} s")
        return self._describe(process, "running", seconds=seconds)

    def wait(self, process: Process, timeout: float, interrupted: Event) -> ServiceStatus:
        """Return once the server works; `timeout` is in seconds.

        Raises StackError, with the end of the log, if it ends, does not work in time or
        `interrupted` is set; it is then left alone.
        """
        began = time.monotonic()
        while process.alive():
            lacking = self.service.unready(self.log)
            if lacking is None:
                return self._describe(process, "running")
            if time.monotonic() - began > timeout:
                raise self._failure(
                    f"does not work after {timeout:.0f} s: {lacking}. It was left running; "
                    "`leitong stack status` asks again, `leitong stack down` stops it"
                )
            if interrupted.wait(_POLL_SECONDS):
                raise StackError(f"{self.name}: interrupted while it started; it was left running")
        what = f"ended after {time.monotonic() - began:.1f} s"
        if "already in use" in (told := last_lines(self.log, 200)) or "BindException" in told:
            ports = ", ".join(str(port) for port in self.service.ports)
            what += (
                f" because a port is in use (it needs {ports}): free it, or choose another with "
                f"{self.port_flag}"
            )
        raise self._failure(what)

    def kill(self, number: signal.Signals) -> bool:
        """Send a signal to the server, waiting for its end after SIGKILL; False if it is gone."""
        process = self.process()
        if process is None or not process.signal(number):
            return False
        if number == signal.SIGKILL and not process.wait(_STOP_SECONDS):
            raise StackError(f"{self.name}: process {process.pid} does not die of SIGKILL")
        return True

    def stop(self, progress: Progress) -> ServiceStatus | None:
        """Stop the server, by force if it takes too long; None if it does not run."""
        began = time.monotonic()
        process = self.process()
        if process is None:
            return None
        progress(f"{self.name}: stopping")
        process.signal(signal.SIGTERM)
        detail = ""
        if not process.wait(_STOP_SECONDS):
            detail = f"killed, as it did not stop within {_STOP_SECONDS:.0f} s"
            self.kill(signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)
        seconds = time.monotonic() - began
        progress(f"{self.name}: stopped after {seconds:.1f} s")
        return self._describe(process, "stopped", detail, seconds)

    def status(self) -> ServiceStatus:
        """Ask the server for real work and say what came of it."""
        process = self.process()
        if process is None:
            return self._describe(None, "stopped")
        lacking = self.service.unready(self.log)
        return self._describe(process, "unready" if lacking else "running", lacking or "")

    def _failure(self, what: str) -> StackError:
        told = last_lines(self.log, _LOG_LINES_SHOWN)
        return StackError(f"{self.name}: {what}. The end of {self.log}:\n{told}")

    def _describe(
        self, process: Process | None, state: State, detail: str = "", seconds: float | None = None
    ) -> ServiceStatus:
        address = f"{LOOPBACK}:{self.service.ports[0]}"
        pid = process.pid if process else None
        return ServiceStatus(self.name, address, state, pid, detail, seconds)
