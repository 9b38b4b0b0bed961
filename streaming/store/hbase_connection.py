"""Calls to HBase's Thrift services that end: in an answer, or in an error before a deadline.

After anything went wrong in the middle of a call, a timeout or Ctrl-C included, the next
answer on that connection may belong to the call before; so such a connection is never used
again. Connections are not shared by threads and not inherited over a fork.
"""

import importlib
import logging
import random
import select
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar

import happybase  # noqa: F401 - its import loads the Thrift 1 service that is used below
from thriftpy2.protocol import TBinaryProtocol, TCompactProtocol
from thriftpy2.thrift import TApplicationException
from thriftpy2.transport import TBufferedTransport, TFramedTransport

from streaming.errors import SettingsError, StoreError, StoreUnavailable
from streaming.store.pool import ConnectionPool
from streaming.store.rotation import Rotation
from streaming.store.sockets import DeadlineSocket, Endpoint, Http, HttpRefusal
from streaming.store.statistics import OperationStatistics
from streaming.store.thrift_client import TRANSIENT, CheckedClient

logger = logging.getLogger(__name__)

thrift1: Any = importlib.import_module("Hbase_thrift")
"""The structures and the service of HBase's Thrift 1 interface, as happybase ships them."""

Answer = TypeVar("Answer")

DEFAULT_TIMEOUT = 10.0
DEFAULT_DEADLINE = 60.0

Transport = Literal["buffered", "framed", "http", "https"]

_TRANSPORTS = {
    "buffered": TBufferedTransport,
    "framed": TFramedTransport,
    "http": TBufferedTransport,
    "https": TBufferedTransport,
}
_PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol}

# HBase's Thrift server drops a connection on which nothing came for 60 s.
_IDLE_SECONDS = 50.0
# And its HTTP server, Jetty, one on which nothing came for 30 s.
_IDLE_HTTP_SECONDS = 25.0
# Thrift's default of 4 KiB would cost a system call and a packet for every 4 KiB.
_BUFFER_BYTES = 256 * 1024
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_SHOWN_CHARACTERS = 300

_FRAME_HINT = (
    "; framed servers also hang up on rows larger than 2 MB, unless they are given more with"
    " hbase.regionserver.thrift.framed.max_frame_size_in_mb"
)

_PERMANENT = (
    "TableNotFoundException",
    "TableNotEnabledException",
    "NoSuchColumnFamilyException",
    "NamespaceNotFoundException",
    "AccessDeniedException",
    "TableExistsException",
)
"""Java exceptions that trying again does not help against, wherever they occur in a trace."""
_PERMANENT_FIRST = ("org.apache.hadoop.hbase.DoNotRetryIOException", "java.lang.IllegalArgument")
"""The same for the outermost exception only: inner ones of these kinds may well be transient."""


@dataclass(frozen=True, slots=True)
class ThriftSettings:
    """How to call Thrift servers that are equal to each other.

    ``timeout`` and ``deadline`` are in seconds: how long the server may be silent within a
    call, and how long a call may take with all its retries. ``authority`` is a PEM file of
    who vouches for servers in "https"; None: whom the system trusts.
    """

    endpoints: tuple[Endpoint, ...]
    transport: Transport = "buffered"
    protocol: Literal["binary", "compact"] = "binary"
    timeout: float = DEFAULT_TIMEOUT
    deadline: float = DEFAULT_DEADLINE
    authority: Path | None = None

    def context(self) -> ssl.SSLContext | None:
        """Give what TLS is made with, None without it; SettingsError for a wrong file."""
        if self.transport != "https":
            return None
        try:
            return ssl.create_default_context(cafile=self.authority)
        except OSError as error:
            reason = getattr(error, "reason", None) or error.strerror or "it is no PEM file"
            raise SettingsError(
                f"option 'ca' of an hbase address: {self.authority} cannot be used ({reason}); it"
                " has to be a PEM file of authorities"
            ) from None


class RefusedError(Exception):
    """The server answered, and what it said will not change by asking again."""


class _Connection:
    """A client on a socket, and when it was last used."""

    def __init__(
        self,
        service: Any,
        settings: ThriftSettings,
        endpoint: Endpoint,
        deadline: float,
        context: ssl.SSLContext | None,
    ) -> None:
        self.socket = DeadlineSocket(endpoint, settings.timeout, deadline, context)
        self._http = None
        if settings.transport in ("http", "https"):
            self._http = Http(self.socket, endpoint, _BUFFER_BYTES)
        stream = self._http or self.socket
        transport = _TRANSPORTS[settings.transport](stream, _BUFFER_BYTES)
        protocol = _PROTOCOLS[settings.protocol](transport, decode_response=False)
        self.client = CheckedClient(service, protocol)
        self.used = time.monotonic()

    def close(self) -> None:
        self.socket.close()

    def fresh(self) -> bool:
        """Whether it can be expected to work: neither long silent, nor hung up by the server."""
        longest = _IDLE_HTTP_SECONDS if self._http else _IDLE_SECONDS
        if time.monotonic() - self.used > longest:
            return False
        if self._http is not None and self._http.ends:
            return False
        # Nobody asked for anything: whatever there is to read, it is no answer.
        poll = select.poll()
        poll.register(self.socket.sock, select.POLLIN)
        return not poll.poll(0)


class Caller:
    """Runs calls on servers in turn, with reconnects, retries, backoff and a deadline.

    Raises SettingsError if it is to trust an authority whose file cannot be used.
    """

    def __init__(self, service: Any, settings: ThriftSettings, where: str) -> None:
        self._service = service
        self._settings = settings
        self._where = where
        self._context = settings.context()
        self._servers = Rotation(settings.endpoints)
        self._pools = {
            endpoint: ConnectionPool(_Connection.close, abandon=_Connection.close)
            for endpoint in settings.endpoints
        }

    def call(
        self,
        operation: str,
        request: Callable[[Any, int], Answer],
        statistics: OperationStatistics,
        deadline: float | None = None,
    ) -> Answer:
        """Give what ``request`` returns for a client and the number of the attempt, from 0.

        ``request`` has to be idempotent. ``deadline`` in seconds overrides the configured one.
        Raises `RefusedError` with the server's words, and `StoreUnavailable` when the deadline
        has passed.
        """
        seconds = self._settings.deadline if deadline is None else deadline
        until = time.monotonic() + seconds
        for number in count():
            endpoint = self._servers.take()
            connect = partial(self._open, endpoint, until)
            try:
                with self._pools[endpoint].connection(connect, _Connection.fresh) as lent:
                    lent.socket.deadline = until
                    answer = request(lent.client, number)
                    lent.used = time.monotonic()
            except ssl.SSLCertVerificationError as error:
                raise StoreError(
                    f"{self._where}: the certificate of {endpoint} is not to be trusted:"
                    f" {error.verify_message.rstrip('.')}; see ?ca=FILE in the address, and the"
                    " name under which the server is addressed"
                ) from error
            except TRANSIENT as error:
                cause = explain(error)
                if refuses(error):
                    raise RefusedError(cause) from error
                if not isinstance(error, thrift1.IOError):
                    # The others lead to the same server: do not wait for each of them.
                    self._pools[endpoint].clear()
                    self._servers.failed(endpoint)
                pause = _pause(number)
                if time.monotonic() + pause >= until:
                    raise StoreUnavailable(
                        f"{self._where}: no success within {seconds:g} s and {number + 1} attempts,"
                        f" the last one at {endpoint}: {cause}; check that HBase and its Thrift"
                        f" server run, and that the latter speaks transport="
                        f"{self._settings.transport}, protocol={self._settings.protocol}"
                        + (_FRAME_HINT if self._settings.transport == "framed" else "")
                    ) from error
                logger.warning(
                    "%s at %s failed (%s); trying again in %.1f s",
                    operation,
                    endpoint,
                    cause,
                    pause,
                )
                statistics.retries += 1
            else:
                self._servers.worked(endpoint)
                return answer
            time.sleep(pause)
        raise AssertionError  # count() does not end

    def _open(self, endpoint: Endpoint, deadline: float) -> _Connection:
        return _Connection(self._service, self._settings, endpoint, deadline, self._context)

    def close(self) -> None:
        """Close idle connections."""
        for pool in self._pools.values():
            pool.clear()


def _pause(number: int) -> float:
    """Seconds before the attempt after number ``number``; the first one is almost at once."""
    if number == 0:
        return random.uniform(0, _FIRST_PAUSE_SECONDS / 2)  # noqa: S311 - not a secret
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**number)
    return random.uniform(longest / 2, longest)  # noqa: S311 - not a secret


def refuses(error: Exception) -> bool:
    """Whether the server answered what it would answer again."""
    if isinstance(error, TApplicationException):
        return error.type == TApplicationException.UNKNOWN_METHOD
    if isinstance(error, thrift1.IllegalArgument | thrift1.AlreadyExists):
        return True
    if isinstance(error, HttpRefusal):
        return HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if getattr(error, "canRetry", None) is False:
        return True
    text = _text(error)
    return any(name in text for name in _PERMANENT) or text.startswith(_PERMANENT_FIRST)


def explain(error: Exception) -> str:
    """Give the first line of what went wrong: never a trace, and not values."""
    if isinstance(error, TApplicationException) and refuses(error):
        return f"this is another Thrift service ({_text(error)})"
    lines = _text(error).splitlines() or [""]
    kind = type(error).__name__
    return f"{kind}: {lines[0][:_SHOWN_CHARACTERS]}" if lines[0] else kind


def _text(error: Exception) -> str:
    # Not str(error): Thrift's exceptions hold bytes where Python insists on text.
    message = getattr(error, "message", None)
    if isinstance(message, bytes):
        return message.decode(errors="replace")
    if isinstance(message, str):
        return message
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
