"""Serve a WSGI application: where it listens, and from a thread of its own."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event, Thread
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from waitress import wasyncore
from waitress.server import MultiSocketServer, create_server

from streaming.errors import SettingsError

_THREADS = 8
_CONNECTIONS = 64
_BODY_BYTES = 1024
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 5


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[^:]+)(?::[0-9]+)?")


def is_of_this_machine(host: str) -> bool:
    """Whether a request was addressed to loopback, by its header ``Host``."""
    match = _HOST.fullmatch(host)
    return match is not None and match["name"].strip("[]").lower() in _LOOPBACK


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: a host, and a port, 0 for any that is free."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read HOST:PORT, [HOST]:PORT or PORT; SettingsError if it is none of them."""
        host, _, port = text.rpartition(":")
        if not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - the last port
            raise SettingsError(f"{text!r} is no address to listen on; write 127.0.0.1:8600")
        return cls(host.strip("[]") or "127.0.0.1", int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can come there."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def check_guarded(address: Address, secret: object | None, needed: str) -> None:
    """Make sure that nobody elsewhere comes in without a secret; SettingsError says what is needed.

    ``needed`` goes on after "so", up to where the secret is read from.
    """
    if not address.is_loopback and secret is None:
        raise SettingsError(f"{address} can be reached from other machines, so {needed}")


def healthz(complaint: str | None, start_response: StartResponse) -> Iterable[bytes]:
    """Answer who would restart this process: 200, or 503 with what is wrong.

    It asks for no token and says nothing that is worth one.
    """
    status = HTTPStatus.OK if complaint is None else HTTPStatus.SERVICE_UNAVAILABLE
    content = f"{complaint or 'ok'}\n".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [content]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes on: requests at a time, open connections, and bytes of a body."""

    threads: int = _THREADS
    connections: int = _CONNECTIONS
    body_bytes: int = _BODY_BYTES


READERS = Limits()
"""Enough for people who look at pages."""


def _listen(app: WSGIApplication, address: Address, limits: Limits, sockets: dict[int, Any]) -> Any:
    try:
        return create_server(
            app,
            map=sockets,
            host=address.host,
            port=address.port,
            threads=limits.threads,
            ident=None,
            max_request_body_size=limits.body_bytes,
            max_request_header_size=16_384,
            connection_limit=limits.connections,
            channel_timeout=30,
        )
    except OSError as error:
        raise SettingsError(f"{address}: {error.strerror or error}") from None


@contextmanager
def served(app: WSGIApplication, address: Address, limits: Limits = READERS) -> Iterator[Address]:
    """Serve from a thread of its own for as long as the context is open; gives where.

    SettingsError if the address is taken or is not this machine's.
    """
    sockets: dict[int, Any] = {}
    server = _listen(app, address, limits, sockets)
    ending = Event()

    def serve() -> None:
        # As waitress runs, but so that it can be ended from another thread, connections and all.
        while not ending.is_set():
            wasyncore.loop(timeout=_POLL_SECONDS, map=sockets, use_poll=True, count=1)
        server.task_dispatcher.shutdown(timeout=_PATIENCE_SECONDS)
        wasyncore.close_all(sockets, ignore_all=True)

    thread = Thread(target=serve, name="server", daemon=True)
    thread.start()
    try:
        yield Address(address.host, _port(server))
    finally:
        ending.set()
        thread.join()


def _port(server: Any) -> int:
    """Give the port, which the types of waitress leave out; of several addresses the first's."""
    if isinstance(server, MultiSocketServer):
        return int(server.effective_listen[0][1])
    return int(server.effective_port)
