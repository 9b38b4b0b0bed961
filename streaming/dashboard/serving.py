"""Serve the dashboard: where it listens, and under which conditions."""

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.server import MultiSocketServer, create_server

from streaming.errors import SettingsError

TOKEN_VARIABLE = "LEITONG_DASHBOARD_TOKEN"  # noqa: S105 - the name of it, not a token
_SHORTEST_TOKEN = 16
_THREADS = 8
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 5


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


def read_token(file: Path | None) -> str | None:
    """Read the token from a file or from the environment; None if there is none.

    SettingsError if it can be guessed.
    """
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{file}: {error.strerror}") from None
    else:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if token and len(token) < _SHORTEST_TOKEN:
        raise SettingsError(f"the token is shorter than {_SHORTEST_TOKEN} characters")
    if file is not None and not token:
        raise SettingsError(f"{file} is empty; it has to hold the token")
    return token or None


def check_address(address: Address, token: str | None) -> None:
    """Make sure that nobody elsewhere can look without a token; SettingsError otherwise."""
    if not address.is_loopback and token is None:
        raise SettingsError(
            f"{address} can be reached from other machines, so a token is needed: --token-file"
            f" FILE, or {TOKEN_VARIABLE} in the environment"
        )


def _listen(app: WSGIApplication, address: Address, sockets: dict[int, Any]) -> Any:
    try:
        return create_server(
            app,
            map=sockets,
            host=address.host,
            port=address.port,
            threads=_THREADS,
            ident=None,
            max_request_body_size=1024,
            max_request_header_size=16_384,
            connection_limit=64,
            channel_timeout=30,
        )
    except OSError as error:
        raise SettingsError(f"{address}: {error.strerror or error}") from None


@contextmanager
def served(app: WSGIApplication, address: Address) -> Iterator[Address]:
    """Serve from a thread of its own for as long as the context is open; gives where.

    SettingsError if the address is taken or is not this machine's.
    """
    sockets: dict[int, Any] = {}
    server = _listen(app, address, sockets)
    ending = Event()

    def serve() -> None:
        # As waitress runs, but so that it can be ended from another thread, connections and all.
        while not ending.is_set():
            wasyncore.loop(timeout=_POLL_SECONDS, map=sockets, use_poll=True, count=1)
        server.task_dispatcher.shutdown(timeout=_PATIENCE_SECONDS)
        wasyncore.close_all(sockets, ignore_all=True)

    thread = Thread(target=serve, name="dashboard", daemon=True)
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
