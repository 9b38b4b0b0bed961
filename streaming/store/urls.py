"""Addresses of stores, as written in the configuration and on the command line.

``sqlite:PATH``, ``hbase://HOST:PORT[,HOST:PORT]/PREFIX`` or ``memory:NAME``; options follow
a ``?``: ``sqlite:leitong.db?timeout=30s``, ``hbase://127.0.0.1:9090/leitong?regions=64``.
Addresses of logs are read in `streaming.urls`.
"""

import difflib
import os
import re
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeVar, cast, get_args

from streaming import durations
from streaming.errors import SettingsError
from streaming.store.contract import Store

HBASE_PORT = 9090
_AUTHORITY = "ca"

_EXAMPLES = "write sqlite:leitong.db or hbase://127.0.0.1:9090/leitong"
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\],]+)(?::(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LAST_PORT = 65_535
_MOST_REGIONS = 256

T = TypeVar("T")

_stores: dict[tuple[int, str, str], Store] = {}
_lock = Lock()


def open_store(url: str, tables_prefix: str = "") -> Store:
    """Give the store at an address; in one process the same address gives the same object.

    Nothing is connected to yet. Raises SettingsError saying what is wrong with the address.
    ``tables_prefix`` keeps sets of tables (generations, tests) apart: letters, digits, ``_``,
    ``-`` and ``.`` only.
    """
    if tables_prefix and not _NAME.fullmatch(tables_prefix):
        raise SettingsError(
            f"{tables_prefix!r} cannot begin table names; use letters, digits, '_', '-' and '.'"
        )
    key = (os.getpid(), url, tables_prefix)
    with _lock:
        store = _stores.get(key)
        if store is None:
            store = _stores[key] = _open(url.strip(), tables_prefix)
        return store


def absolute_url(url: str) -> str:
    """Give the address as it reads from any working directory, for processes elsewhere."""
    scheme, _, rest = url.strip().partition(":")
    body, mark, query = rest.partition("?")
    match scheme.lower():
        case "sqlite":
            return f"sqlite:{_path(body).absolute()}{mark}{query}"
        case "hbase":
            return f"{scheme}:{body}{mark}{'&'.join(map(_absolute_option, query.split('&')))}"
    return url.strip()


def _absolute_option(option: str) -> str:
    name, _, value = option.partition("=")
    return f"{name}={Path(value).absolute()}" if name == _AUTHORITY else option


# A child of a fork may find it held by a thread that it does not have.
def _new_lock() -> None:
    global _lock  # noqa: PLW0603 - as threading's own locks are renewed
    _lock = Lock()


os.register_at_fork(after_in_child=_new_lock)


def _open(url: str, tables_prefix: str) -> Store:
    scheme, colon, rest = url.partition(":")
    if not colon:
        raise SettingsError(f"{url!r} is no address of a store: it has no scheme; {_EXAMPLES}")
    body, _, query = rest.partition("?")
    match scheme.lower():
        case "memory":
            # Backends are imported here: workers start faster without those they do not use.
            from streaming.store.memory import MemoryStore  # noqa: PLC0415

            _Options(query, "memory").done()
            return MemoryStore(body, tables_prefix)
        case "sqlite":
            return _sqlite(body, _Options(query, "sqlite"), tables_prefix)
        case "hbase":
            return _hbase(body, _Options(query, "hbase"), tables_prefix)
    raise SettingsError(
        f"{scheme!r} is not a kind of store (there are sqlite, hbase and memory); {_EXAMPLES}"
    )


def _sqlite(body: str, options: "_Options", tables_prefix: str) -> Store:
    from streaming.store.sqlite import (  # noqa: PLC0415 - as above
        DEFAULT_TIMEOUT,
        SQLiteSettings,
        SQLiteStore,
    )

    settings = SQLiteSettings(
        path=_path(body),
        timeout=options.take("timeout", _seconds, DEFAULT_TIMEOUT),
        synchronous=options.take("synchronous", _one_of("normal", "full"), "normal"),
    )
    options.done()
    return SQLiteStore(settings, tables_prefix)


def _path(body: str) -> Path:
    # With '//' it is written like a URL: sqlite:///var/lib/leitong.db
    path = body.removeprefix("//")
    if not path or "\0" in path:
        raise SettingsError(f"'sqlite:{body}' names no file; {_EXAMPLES}")
    return Path(path)


def _hbase(body: str, options: "_Options", tables_prefix: str) -> Store:
    from streaming.store.hbase import HBaseStore  # noqa: PLC0415 - as above
    from streaming.store.hbase_admin import HBaseSettings  # noqa: PLC0415 - as above
    from streaming.store.hbase_connection import (  # noqa: PLC0415 - as above
        DEFAULT_DEADLINE,
        DEFAULT_TIMEOUT,
        ThriftSettings,
        Transport,
    )
    from streaming.store.hbase_layout import DEFAULT_REGIONS  # noqa: PLC0415 - as above
    from streaming.store.sockets import Endpoint  # noqa: PLC0415 - as above

    def endpoint(text: str) -> Endpoint:
        return Endpoint(*_server(text))

    def admin(text: str) -> Endpoint | Literal["none"]:
        return "none" if text == "none" else endpoint(text)

    if "@" in body:
        raise SettingsError(
            "user and password do not belong into an address, and HBase's Thrift service knows "
            "none: write hbase://HOST:PORT/PREFIX"
        )
    if not body.startswith("//"):
        raise SettingsError(f"'hbase:{body}': '//' must follow 'hbase:'; {_EXAMPLES}")
    servers, _, prefix = body.removeprefix("//").rstrip("/").partition("/")
    if not _NAME.fullmatch(prefix):
        raise SettingsError(
            f"'hbase:{body}' needs a prefix of its tables' names after the server: letters, "
            f"digits, '_', '-' and '.'; {_EXAMPLES}"
        )
    thrift = ThriftSettings(
        endpoints=tuple(endpoint(server) for server in servers.split(",")),
        transport=options.take("transport", _one_of(*get_args(Transport)), "buffered"),
        protocol=options.take("protocol", _one_of("binary", "compact"), "binary"),
        timeout=options.take("timeout", _seconds, DEFAULT_TIMEOUT),
        deadline=options.take("deadline", _seconds, DEFAULT_DEADLINE),
        authority=options.take(_AUTHORITY, Path, None),
    )
    if thrift.transport in ("http", "https") and thrift.protocol == "compact":
        raise SettingsError("HBase speaks no protocol=compact in HTTP: leave it out")
    if thrift.authority and thrift.transport != "https":
        raise SettingsError(
            f"option {_AUTHORITY!r} of an hbase address is for transport=https; only HBase's HTTP"
            " server can speak TLS"
        )
    settings = HBaseSettings(
        thrift=thrift,
        prefix=prefix,
        namespace=options.take("namespace", _matching(_NAME), ""),
        regions=options.take("regions", _regions, DEFAULT_REGIONS),
        compression=options.take(
            "compression", _one_of("none", "gz", "snappy", "lz4", "zstd", upper=True), None
        ),
        admin=options.take("admin", admin, None),
    )
    options.done()
    return HBaseStore(settings, tables_prefix)


class _Options:
    """What follows the ``?`` of an address, taken out one by one."""

    def __init__(self, query: str, scheme: str) -> None:
        self._scheme = scheme
        self._left: dict[str, str] = {}
        self._known: list[str] = []
        for part in filter(None, query.split("&")):
            name, equals, value = part.partition("=")
            if not equals:
                raise SettingsError(f"option {name!r} of a {scheme} address has no '=VALUE'")
            self._left[name] = value

    def take(self, name: str, read: Callable[[str], T], default: Any) -> T:
        self._known.append(name)
        if name not in self._left:
            return cast("T", default)
        text = self._left.pop(name)
        try:
            return read(text)
        except ValueError as error:
            raise SettingsError(f"option {name!r} of a {self._scheme} address: {error}") from error

    def done(self) -> None:
        for name in self._left:
            near = difflib.get_close_matches(name, self._known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self._known)}"
            raise SettingsError(
                f"a {self._scheme} address has no option {name!r}; "
                + (hint if self._known else "it takes none")
            )


def _server(text: str) -> tuple[str, int]:
    match = _SERVER.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{text!r} is not HOST:PORT; {_EXAMPLES}")
    port = int(match["port"] or HBASE_PORT)
    if not 0 < port <= _LAST_PORT:
        raise SettingsError(f"{port} is not a port (1 to {_LAST_PORT})")
    return match["host"].strip("[]"), port


def _seconds(text: str) -> float:
    seconds = durations.parse(text) / 1000
    if not seconds:
        raise ValueError("it has to be longer than nothing")
    return seconds


def _regions(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MOST_REGIONS:
        raise ValueError(f"{text!r} is not a number from 1 to {_MOST_REGIONS}")
    return int(text)


def _one_of(*choices: str, upper: bool = False) -> Callable[[str], Any]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text.upper() if upper else text.lower()

    return read


def _matching(rule: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not rule.fullmatch(text):
            raise ValueError(f"{text!r} is not a name")
        return text

    return read
