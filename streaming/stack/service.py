"""What the stack knows of a server: how to prepare it, start it, and ask whether it works."""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Protocol

from streaming.stack.jars import JarSet, template
from streaming.stack.settings import ServiceName


class Service(Protocol):
    """One server of the stack."""

    @property
    def name(self) -> ServiceName:
        """The name on the command line, of the pid file and of the log."""
        ...

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports it listens on, the one that clients use first."""
        ...

    @property
    def jar_set(self) -> JarSet:
        """The jars it runs on."""
        ...

    def prepare(self, java: str, jars: Path) -> None:
        """Write its configuration, and whatever must exist before its first start."""
        ...

    def command(self, java: str, jars: Path) -> list[str]:
        """Return the command that runs it in the foreground."""
        ...

    def unready(self, log: Path) -> str | None:
        """Ask the running server for real work; None if it did it, else what is missing."""
        ...


def render(jar_set: JarSet, name: str, target: Path, values: Mapping[str, str] | None) -> None:
    """Write the packaged file `name` to `target`, with `$key` replaced if there are `values`.

    Raises KeyError for a key that is not given.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    text = template(jar_set, name).decode()
    target.write_text(text if values is None else Template(text).substitute(values))
