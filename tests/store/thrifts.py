"""More Thrift servers beside the HBase of a stack, each with its own way of speaking."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from xml.sax.saxutils import escape

from streaming.errors import StoreError
from streaming.stack.hbase import Admin, Thrift
from streaming.stack.jars import resolve, silent
from streaming.stack.java import java_command
from streaming.stack.ports import LOOPBACK, free_ports, listening
from streaming.stack.settings import Options, StackSettings
from streaming.stack.stack import LocalStack
from streaming.stack.supervisor import Supervisor
from streaming.store.urls import open_store
from tests.certificates import PASSWORD, Authority

_START_SECONDS = 120
HTTP = {"hbase.regionserver.thrift.http": "true", "hbase.thrift.http_threads.max": "20"}


def https(authority: Authority, name: str) -> dict[str, str]:
    """Give what an HTTP server speaks TLS with."""
    return HTTP | {
        "hbase.thrift.ssl.enabled": "true",
        "hbase.thrift.ssl.keystore.type": "pkcs12",
        "hbase.thrift.ssl.keystore.store": str(authority.issue_keystore(name)),
        "hbase.thrift.ssl.keystore.password": PASSWORD,
    }


@dataclass(frozen=True, slots=True)
class Way:
    """How a server speaks: HBase's properties, and the options of an address that fit them.

    ``tables`` is that it is a Thrift 2 server, which makes tables.
    """

    properties: Mapping[str, str]
    options: str
    tables: bool = False


class Running:
    """A server that runs."""

    def __init__(self, supervisor: Supervisor, port: int, options: str) -> None:
        self.supervisor = supervisor
        self.address = f"{LOOPBACK}:{port}"
        self.options = options

    def url(self, more: str = "") -> str:
        options = "&".join(filter(None, (self.options, more)))
        return f"hbase://{self.address}/test?{options}"


class _Configured:
    """A server of the stack's kinds, with more in its configuration."""

    properties: Mapping[str, str]
    url: str
    directory: Path
    configuration: str
    ports: tuple[int, ...]

    def prepare(self, java: str, jars: Path) -> None:
        super().prepare(java, jars)  # type: ignore[misc]  # of the class that stands beside it
        file = self.directory / self.configuration / "hbase-site.xml"
        more = "".join(
            f"<property><name>{name}</name><value>{escape(value)}</value></property>\n"
            for name, value in self.properties.items()
        )
        file.write_text(file.read_text().replace("</configuration>", f"{more}</configuration>"))

    def unready(self, _log: Path) -> str | None:
        if not listening(self.ports[0]):
            return "nothing listens yet"
        if isinstance(self, Admin):
            return None
        store = open_store(self.url)
        try:
            store.ping()
        except StoreError as error:
            return str(error)
        finally:
            store.close()
        return None


class _Thrift(_Configured, Thrift):
    pass


class _Admin(_Configured, Admin):
    pass


@contextmanager
def running(
    stack: LocalStack, directory: Path, ways: Mapping[str, Way]
) -> Iterator[dict[str, Running]]:
    """Run servers at once for as long as the context is open."""
    with ExitStack() as ending, ThreadPoolExecutor() as pool:
        begun = {}
        # The Thrift 2 server's port is the one after the other's, which nobody takes then.
        ports = free_ports(len(ways), successors=1)
        for (name, way), port in zip(ways.items(), ports, strict=True):
            kind = _Admin if way.tables else _Thrift
            service = kind(
                directory / name,
                replace(stack.ports, thrift=port),
                StackSettings.load(stack.directory).inner,
                Options(java_options=("-XX:TieredStopAtLevel=1",), thrift_heap="128m"),
            )
            service.properties = way.properties
            server = Running(Supervisor(service, directory / name), port + way.tables, way.options)
            service.url = server.url("timeout=2s&deadline=2s")
            ending.callback(server.supervisor.stop, silent)
            begun[name] = server
        jars, java = resolve("hbase", silent), java_command()
        starting = [
            pool.submit(each.supervisor.start, java, jars, _START_SECONDS, silent, Event())
            for each in begun.values()
        ]
        for each in starting:
            each.result()
        yield begun
