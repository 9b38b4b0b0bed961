"""The ports and options of a stack, and the file that remembers them in its directory."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from streaming.errors import LeitongError
from streaming.stack.ports import free_ports, taken

ServiceName = Literal["kafka", "hbase", "thrift", "admin"]


class StackError(LeitongError):
    """A server of the local stack that could not be started, reached or stopped."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that clients use, all on 127.0.0.1."""

    kafka: int = 9092
    thrift: int = 9090
    zookeeper: int = 2181

    @property
    def admin(self) -> int:
        """The port of the Thrift 2 server, where clients look for it: the one after `thrift`."""
        return self.thrift + 1

    def all(self) -> set[int]:
        """Return every port, `admin` included."""
        return {*asdict(self).values(), self.admin}


@dataclass(frozen=True, slots=True)
class InnerPorts:
    """The ports that only the servers themselves use: any free ones, kept for later starts."""

    controller: int = 0
    master: int = 0
    regionserver: int = 0

    def chosen(self, keep: Collection[str], avoid: Ports) -> Self:
        """Return these ports, with free ones for those that are 0, taken or in `avoid`.

        Servers that run keep theirs, named in `keep`: they are the ones who take them.
        """
        used = avoid.all() | set(asdict(self).values())
        others: dict[str, int] = {}
        for name, port in asdict(self).items():
            if name not in keep and (port in {0, *avoid.all()} or taken(port)):
                others[name] = free_ports(1, avoid=used | set(others.values()))[0]
        return replace(self, **others)


@dataclass(frozen=True, slots=True)
class Options:
    """Memory (as in Java's -Xmx) and the Thrift server's ways.

    `thrift_idle_seconds` is how long a Thrift server keeps a socket on which nothing happens; the
    other `thrift_` options are not for the Thrift 2 server.
    `java_options` are added for every server; -XX:TieredStopAtLevel=1 takes a third off the work
    of a start and makes what comes after it slower.
    """

    kafka_heap: str = "512m"
    hbase_heap: str = "1g"
    thrift_heap: str = "512m"
    thrift_framed: bool = False
    thrift_compact: bool = False
    thrift_idle_seconds: float = 60.0
    java_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StackSettings:
    """All that a directory's servers were started with."""

    ports: Ports = Ports()
    inner: InnerPorts = InnerPorts()
    options: Options = Options()

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what the directory remembers, the defaults if it was never started.

        Raises StackError for a file that is not what `save` wrote.
        """
        path = directory / "stack.json"
        try:
            saved: Mapping[str, Any] = json.loads(path.read_text())
            options = dict(saved["options"])
            options["java_options"] = tuple(options["java_options"])
            return cls(Ports(**saved["ports"]), InnerPorts(**saved["inner"]), Options(**options))
        except FileNotFoundError:
            return cls()
        except (ValueError, TypeError, KeyError) as error:
            raise StackError(
                f"{path} cannot be read ({error!r}); remove it to start with the default ports"
            ) from error

    def moved(self, new: Self, running: Collection[ServiceName]) -> list[str]:
        """Say what of `new` the servers that run would have to be stopped for."""
        concerned = {
            "thrift": {"thrift", "admin"},
            "zookeeper": {"hbase", "thrift", "admin"},
            "thrift_idle_seconds": {"thrift", "admin"},
            "java_options": {"kafka", "hbase", "thrift", "admin"},
        }
        before, after = (asdict(each.ports) | asdict(each.options) for each in (self, new))
        return [
            f"{name} is {before[name]}, not {after[name]}"
            for name in before
            if before[name] != after[name]
            and concerned.get(name, {name.partition("_")[0]}) & set(running)
        ]

    def save(self, directory: Path) -> None:
        """Write the file, whole or not at all."""
        directory.mkdir(parents=True, exist_ok=True)
        scratch = directory / ".stack.json"
        scratch.write_text(json.dumps(asdict(self), indent=2) + "\n")
        scratch.replace(directory / "stack.json")
