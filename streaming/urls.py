"""Addresses of logs, as written in the configuration and on the command line.

``kafka://HOST:PORT[,HOST:PORT]/TOPIC`` is a Kafka topic, ``file:DIR`` an embedded file
log. Addresses of stores are read in `streaming.store.urls`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from streaming.errors import SettingsError

KAFKA_PORT = 9092
TOPIC_RULE = re.compile(r"[a-zA-Z0-9._-]{1,249}")

_EXAMPLES = "write kafka://127.0.0.1:9092/articles or file:log/"
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\],]+)(?::(?P<port>[0-9]{1,5}))?")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class KafkaUrl:
    """A topic and the brokers to ask for it first, each ``host:port``."""

    servers: tuple[str, ...]
    topic: str

    @property
    def bootstrap(self) -> str:
        """The brokers as Kafka clients take them."""
        return ",".join(self.servers)

    def __str__(self) -> str:
        return f"kafka://{self.bootstrap}/{self.topic}"


@dataclass(frozen=True, slots=True)
class FileUrl:
    """The directory of a file log; relative to the working directory unless absolute."""

    directory: Path

    def __str__(self) -> str:
        return f"file:{self.directory}"


class LogUrl:
    """Reader of log addresses."""

    @staticmethod
    def parse(text: str) -> KafkaUrl | FileUrl:
        """Read an address; raises SettingsError saying what is wrong, with an example.

        Passwords do not belong into addresses: an ``@`` before the topic is refused and
        the address not repeated.
        """
        match = _SCHEME.fullmatch(text.strip())
        if match is None:
            raise SettingsError(f"{text!r} is no address of a log: it has no scheme; {_EXAMPLES}")
        scheme, rest = match["scheme"].lower(), match["rest"]
        if scheme == "kafka":
            return _kafka(text, rest)
        if scheme == "file":
            return _file(text, rest)
        raise SettingsError(
            f"{scheme!r} is not a kind of log (there are kafka and file); {_EXAMPLES}"
        )


def check_topic(topic: str) -> str:
    """Return `topic` if Kafka would take it as a name; raises SettingsError otherwise."""
    if TOPIC_RULE.fullmatch(topic) is None or topic in {".", ".."}:
        raise SettingsError(
            f"{topic!r} is not a topic name: use up to 249 letters, digits, '.', '_' and '-'"
        )
    return topic


def _kafka(text: str, rest: str) -> KafkaUrl:
    if "@" in rest:
        raise SettingsError(
            "user and password do not belong into an address: set sasl.jaas.config in the "
            "group kafka of the configuration, and write kafka://HOST:PORT/TOPIC"
        )
    if not rest.startswith("//"):
        raise SettingsError(f"{text!r}: '//' must follow 'kafka:'; {_EXAMPLES}")
    servers, slash, topic = rest.removeprefix("//").partition("/")
    if not slash or not topic.strip("/"):
        raise SettingsError(f"{text!r} names no topic; {_EXAMPLES}")
    return KafkaUrl(
        tuple(_server(text, server) for server in servers.split(",")),
        check_topic(topic.removesuffix("/")),
    )


def _server(text: str, server: str) -> str:
    match = _SERVER.fullmatch(server.strip())
    if match is None:
        raise SettingsError(f"{text!r}: {server!r} is not HOST:PORT; {_EXAMPLES}")
    port = int(match["port"] or KAFKA_PORT)
    if not 0 < port <= _LAST_PORT:
        raise SettingsError(f"{text!r}: {port} is not a port (1 to {_LAST_PORT})")
    return f"{match['host']}:{port}"


def _file(text: str, rest: str) -> FileUrl:
    if rest.startswith("//"):
        host, slash, path = rest.removeprefix("//").partition("/")
        if host not in {"", "localhost"} or not slash:
            raise SettingsError(
                f"{text!r}: what follows 'file://' is a host; write file:{rest.lstrip('/')} "
                f"for a directory here, or file:///{rest.lstrip('/')}"
            )
        # Only the form with '//' is a URL in the strict sense, with %20 for a space.
        rest = unquote(slash + path)
    if not rest:
        raise SettingsError(f"{text!r} names no directory; {_EXAMPLES}")
    if "\0" in rest:
        raise SettingsError(f"{text!r}: a directory name has no NUL; {_EXAMPLES}")
    return FileUrl(Path(rest))
