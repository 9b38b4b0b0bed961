"""HBase in one JVM (master, region server, ZooKeeper), its Thrift 1 and 2 servers in two others.

Thrift 1 is what rows are written and read through. Thrift 2 makes the tables: it alone can split
a new table into regions and choose a block encoding.
"""

from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import happybase
from thriftpy2.thrift import TException

from streaming.errors import StoreError
from streaming.stack.jars import JarSet
from streaming.stack.java import JAVA_OPTIONS
from streaming.stack.ports import LOOPBACK, listening
from streaming.stack.service import render
from streaming.stack.settings import InnerPorts, Options, Ports
from streaming.store.hbase_admin import Thrift2Admin
from streaming.store.hbase_connection import ThriftSettings
from streaming.store.sockets import Endpoint

_ANSWER_MS = 5_000
_INITIALISED = b"Master has completed initialization"
_NOWHERE = "leitong_no_such_namespace:probe"
# A few idle connections, and a handful of calls when tables are made.
_ADMIN_HEAP = "96m"


class _HBaseProcess:
    """What the servers share: the jars, the configuration file and the way Java is called."""

    jar_set: JarSet = "hbase"
    configuration = "conf"

    def __init__(self, directory: Path, ports: Ports, inner: InnerPorts, options: Options) -> None:
        self.directory = directory
        self.stack_ports = ports
        self.inner = inner
        self.options = options

    def prepare(self, java: str, jars: Path) -> None:
        """Write hbase-site.xml and the logging configuration."""
        del java, jars
        ports = self.stack_ports
        values = {
            "data": escape(str(self.directory / "data")),
            "zookeeper_port": str(ports.zookeeper),
            "master_port": str(self.inner.master),
            "regionserver_port": str(self.inner.regionserver),
            "thrift_idle_ms": str(round(self.options.thrift_idle_seconds * 1000)),
            **self._thrift_values(),
        }
        target = self.directory / self.configuration
        render("hbase", "hbase-site.xml", target / "hbase-site.xml", values)
        render("hbase", "log4j.properties", target / "log4j.properties", None)

    def _thrift_values(self) -> dict[str, str]:
        return {
            "thrift_port": str(self.stack_ports.thrift),
            "thrift_framed": str(self.options.thrift_framed).lower(),
            "thrift_compact": str(self.options.thrift_compact).lower(),
        }

    def _java(self, java: str, jars: Path, heap: str) -> list[str]:
        memory = [f"-Xmx{heap}", "-Xms64m", *self.options.java_options]
        classes = f"{self.directory / self.configuration}:{jars}/*"
        return [java, *JAVA_OPTIONS, *memory, "-cp", classes]


class HBase(_HBaseProcess):
    """The master's process; clients find it through its ZooKeeper."""

    name: Final = "hbase"

    @property
    def ports(self) -> tuple[int, ...]:
        """The port of ZooKeeper, then those of the master and the region server."""
        return (self.stack_ports.zookeeper, self.inner.master, self.inner.regionserver)

    def command(self, java: str, jars: Path) -> list[str]:
        """Return the command of the master."""
        main = "org.apache.hadoop.hbase.master.HMaster"
        return [*self._java(java, jars, self.options.hbase_heap), main, "start"]

    def unready(self, log: Path) -> str | None:
        """Look for the master's word that it is complete, and for ZooKeeper's port."""
        if _INITIALISED not in log.read_bytes():
            return "the master has not completed its initialisation"
        if not listening(self.stack_ports.zookeeper):
            return f"ZooKeeper does not listen on port {self.stack_ports.zookeeper}"
        return None


class Thrift(_HBaseProcess):
    """The Thrift server: what happybase talks to."""

    name: Final = "thrift"

    @property
    def ports(self) -> tuple[int, ...]:
        """The Thrift port."""
        return (self.stack_ports.thrift,)

    def command(self, java: str, jars: Path) -> list[str]:
        """Return the command of the Thrift server, whose options are all in hbase-site.xml."""
        main = "org.apache.hadoop.hbase.thrift.ThriftServer"
        return [*self._java(java, jars, self.options.thrift_heap), main, "start"]

    def unready(self, log: Path) -> str | None:  # noqa: ARG002 - the server is asked, not its log
        """List the tables, and have the master refuse a table in a namespace that is not there.

        A master that still initialises cannot know of namespaces: it answers otherwise or not at
        all. Nothing is created.
        """
        if not listening(self.stack_ports.thrift):
            return f"nothing listens on port {self.stack_ports.thrift} yet"
        try:
            connection = happybase.Connection(
                LOOPBACK,
                self.stack_ports.thrift,
                timeout=_ANSWER_MS,
                transport="framed" if self.options.thrift_framed else "buffered",
                protocol="compact" if self.options.thrift_compact else "binary",
            )
        except (TException, OSError) as error:
            return f"the Thrift server does not answer: {error!r}"
        try:
            connection.tables()
            connection.create_table(_NOWHERE, {"c": {}})
        except (TException, OSError) as error:
            if "NamespaceNotFoundException" in str(getattr(error, "message", error)):
                return None
            return f"HBase cannot create tables yet: {str(error)[:200]}"
        finally:
            connection.close()
        return f"HBase created {_NOWHERE}, which it should have refused"


class Admin(_HBaseProcess):
    """The Thrift 2 server: what the store makes its tables through.

    It is buffered and binary whatever the Thrift server is, and has a configuration of its own
    because both take their port from the same name.
    """

    name: Final = "admin"
    configuration = "conf-admin"

    @property
    def ports(self) -> tuple[int, ...]:
        """The port after Thrift's."""
        return (self.stack_ports.admin,)

    def command(self, java: str, jars: Path) -> list[str]:
        """Return the command of the Thrift 2 server."""
        main = "org.apache.hadoop.hbase.thrift2.ThriftServer"
        return [*self._java(java, jars, _ADMIN_HEAP), main, "start"]

    def unready(self, log: Path) -> str | None:  # noqa: ARG002 - the server is asked, not its log
        """Have the master describe a table through the server, as the store does."""
        if not listening(self.stack_ports.admin):
            return f"nothing listens on port {self.stack_ports.admin} yet"
        endpoint = Endpoint(LOOPBACK, self.stack_ports.admin)
        admin = Thrift2Admin((endpoint,), ThriftSettings((endpoint,)), "the Thrift 2 server")
        try:
            admin.check()
        except StoreError as error:
            return f"HBase does not describe tables yet: {str(error.__cause__)[:200]}"
        finally:
            admin.close()
        return None

    def _thrift_values(self) -> dict[str, str]:
        port = str(self.stack_ports.admin)
        return {"thrift_port": port, "thrift_framed": "false", "thrift_compact": "false"}
