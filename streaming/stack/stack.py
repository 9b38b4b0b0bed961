"""The local stack as a whole: start, stop and watch its servers."""

import shutil
import signal
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import combinations
from pathlib import Path
from threading import Event

from streaming.stack.hbase import Admin, HBase, Thrift
from streaming.stack.jars import Progress, resolve, silent
from streaming.stack.java import java_command
from streaming.stack.kafka import Kafka
from streaming.stack.ports import LOOPBACK, free_ports
from streaming.stack.processes import exclusive
from streaming.stack.settings import Options, Ports, ServiceName, StackError, StackSettings
from streaming.stack.supervisor import ServiceStatus, Supervisor

DEFAULT_DIRECTORY = Path(".leitong/stack")
START_SECONDS = 180.0


class LocalStack:
    """Kafka, HBase and HBase's two Thrift servers on 127.0.0.1, their data in one directory.

    `ports` and `options` default to those the directory was last started with. Servers are
    detached: they survive this object and this process, and another LocalStack of the same
    directory finds them. Any number of stacks with different directories and ports can coexist.
    """

    def __init__(
        self, directory: Path | str, ports: Ports | None = None, options: Options | None = None
    ) -> None:
        self.directory = Path(directory).absolute()
        if "," in str(self.directory):
            raise StackError(f"{self.directory}: Kafka takes a comma as the end of a directory")
        saved = StackSettings.load(self.directory)
        self.ports = ports or saved.ports
        self.options = options or saved.options

    @staticmethod
    def free_ports() -> Ports:
        """Return ports that nobody listens on now (and that nobody is kept from taking)."""
        # The Thrift port's successor is used too; that the others have one costs nothing.
        return Ports(*free_ports(3, successors=1))

    @property
    def kafka(self) -> str:
        """The broker's `host:port`."""
        return f"{LOOPBACK}:{self.ports.kafka}"

    @property
    def hbase(self) -> str:
        """The Thrift server's `host:port`."""
        return f"{LOOPBACK}:{self.ports.thrift}"

    @property
    def admin(self) -> str:
        """The Thrift 2 server's `host:port`: where tables are made."""
        return f"{LOOPBACK}:{self.ports.admin}"

    def log(self, name: ServiceName) -> Path:
        """Return the log of a server's last start; the one before it ends in `.1`."""
        return self._server(name).log

    def up(
        self,
        *,
        kafka: bool = True,
        hbase: bool = True,
        timeout: float = START_SECONDS,
        progress: Progress = silent,
    ) -> list[ServiceStatus]:
        """Start what is asked for and does not run yet, all at once; return when all of it works.

        `timeout` is in seconds and does not count the resolving of jars. Raises PrerequisiteError
        without jars or Java, StackError naming every server that failed; the others stay up.
        """
        wanted: list[ServiceName] = ["kafka"] if kafka else []
        if hbase:
            wanted += ["hbase", "thrift", "admin"]
        return self._start(wanted, timeout, progress)

    def start(
        self, name: ServiceName, *, timeout: float = START_SECONDS, progress: Progress = silent
    ) -> ServiceStatus:
        """Start one server on the data it had; a running one is left alone. As `up` otherwise.

        Thrift servers that run already must also work again before a started HBase counts.
        """
        clients: tuple[ServiceName, ...] = ("thrift", "admin") if name == "hbase" else ()
        again = [client for client in clients if self._server(client).process() is not None]
        return self._start([name, *again], timeout, progress)[0]

    def kill(self, name: ServiceName, number: signal.Signals = signal.SIGKILL) -> bool:
        """Send a signal to one server, waiting for its end after SIGKILL; False if it is gone."""
        return self._server(name).kill(number)

    def down(self, *, erase: bool = False, progress: Progress = silent) -> list[ServiceStatus]:
        """Stop what runs, gracefully if it obeys within 30 s; `erase` then removes the directory.

        Returns the servers that were stopped. Only processes this directory started are touched.
        """
        if not self.directory.is_dir():
            return []
        with exclusive(self._lock):
            with ThreadPoolExecutor() as pool:
                stopped = list(pool.map(lambda server: server.stop(progress), self._servers()))
            if erase:
                shutil.rmtree(self.directory)
        return [status for status in stopped if status is not None]

    def status(self) -> list[ServiceStatus]:
        """Ask every server for real work and say what came of it."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(Supervisor.status, self._servers()))

    def _start(
        self, names: list[ServiceName], timeout: float, progress: Progress
    ) -> list[ServiceStatus]:
        with exclusive(self._lock):
            self._settle()
            servers = [server for server in self._servers() if server.name in names]
            missing = [server for server in servers if server.process() is None]
            java = java_command() if missing else ""
            jars = {server.name: resolve(server.service.jar_set, progress) for server in missing}
            _refuse_shared_ports(missing)
            for server in missing:
                server.refuse_taken_ports()

            interrupted = Event()

            def ready(server: Supervisor) -> ServiceStatus:
                process = server.process()
                if process is not None:
                    return server.wait(process, timeout, interrupted)
                return server.start(java, jars[server.name], timeout, progress, interrupted)

            with ThreadPoolExecutor() as pool:
                waiting = [pool.submit(ready, server) for server in servers]
                try:
                    wait(waiting)
                except BaseException:
                    interrupted.set()
                    raise
        failures = [error for future in waiting if (error := future.exception())]
        for error in failures:
            if not isinstance(error, StackError):
                raise error
        if failures:
            raise StackError("\n".join(str(error) for error in failures))
        return [future.result() for future in waiting]

    def _settle(self) -> None:
        """Write down the settings of this start, free inner ports included.

        Raises StackError if servers run with others.
        """
        saved = StackSettings.load(self.directory)
        running = {server.name for server in self._servers() if server.process()}
        if moved := saved.moved(StackSettings(self.ports, options=self.options), running):
            raise StackError(
                f"{self.directory}: {', '.join(sorted(running))} run already, and "
                f"{'; '.join(moved)}. `leitong stack down` first"
            )
        keep = {"controller"} if "kafka" in running else set()
        if "hbase" in running:
            keep |= {"master", "regionserver"}
        settled = StackSettings(self.ports, saved.inner.chosen(keep, self.ports), self.options)
        settled.save(self.directory)

    def _servers(self) -> list[Supervisor]:
        inner = StackSettings.load(self.directory).inner
        hbase = self.directory / "hbase"
        services = (
            Kafka(self.directory / "kafka", self.ports, inner, self.options),
            HBase(hbase, self.ports, inner, self.options),
            Thrift(hbase, self.ports, inner, self.options),
            Admin(hbase, self.ports, inner, self.options),
        )
        return [Supervisor(service, self.directory) for service in services]

    def _server(self, name: ServiceName) -> Supervisor:
        return next(server for server in self._servers() if server.name == name)

    @property
    def _lock(self) -> Path:
        # Beside the directory and not in it, so that erasing does not remove what is held.
        return self.directory.with_name(f".{self.directory.name}.lock")


def _refuse_shared_ports(servers: list[Supervisor]) -> None:
    """Raise StackError if two servers that are to be started would have the same port."""
    for one, other in combinations(servers, 2):
        for port in set(one.service.ports) & set(other.service.ports):
            raise StackError(
                f"{one.name} and {other.name} cannot both have port {port}: choose another with "
                f"{one.port_flag} or {other.port_flag}"
            )
