"""Calls to HBase's Thrift services that end: in an answer, or in an error before a deadline.

After anything went wrong in the middle of a call, a timeout or Ctrl-C included, the next
answer on that connection may belong to the call before; so such a connection is never used
again. Connections are not shared by threads and not inherited over a fork.
"""

import importlib
import logging
import random
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Literal, TypeVar

import happybase  # noqa: F401 - its import loads the Thrift 1 service that is used below
from thriftpy2.protocol import TBinaryProtocol, TCompactProtocol
from thriftpy2.thrift import TApplicationException
from thriftpy2.transport import TBufferedTransport, TFramedTransport, TTransportException

from streaming.errors import StoreUnavailable
from streaming.store.pool import ConnectionPool
from streaming.store.statistics import OperationStatistics
from streaming.store.thrift_client import TRANSIENT, CheckedClient

logger = logging.getLogger(__name__)

thrift1: Any = importlib.import_module("Hbase_thrift")
"""The structures and the service of HBase's Thrift 1 interface, as happybase ships them."""

Answer = TypeVar("Answer")

DEFAULT_TIMEOUT = 10.0
DEFAULT_DEADLINE = 60.0

_TRANSPORTS = {"buffered": TBufferedTransport, "framed": TFramedTransport}
_PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol}

# HBase's Thrift server drops a connection on which nothing came for 60 s.
_IDLE_SECONDS = 50.0
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
class Endpoint:
    """Where a Thrift server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ThriftSettings:
    """How to call Thrift servers that are equal to each other.

    ``timeout`` and ``deadline`` are in seconds: how long the server may be silent within a
    call, and how long a call may take with all its retries.
    """

    endpoints: tuple[Endpoint, ...]
    transport: Literal["buffered", "framed"] = "buffered"
    protocol: Literal["binary", "compact"] = "binary"
    timeout: float = DEFAULT_TIMEOUT
    deadline: float = DEFAULT_DEADLINE


class RefusedError(Exception):
    """The server answered, and what it said will not change by asking again."""


class _Socket:
    """A socket with the face of a Thrift transport, which no read or write outlives."""

    def __init__(self, endpoint: Endpoint, timeout: float, deadline: float) -> None:
        self.timeout = timeout
        self.deadline = deadline
        self.sock = socket.create_connection((endpoint.host, endpoint.port), self._patience())
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def _patience(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline passed")
        return min(self.timeout, left)

    def read(self, size: int) -> bytes:
        self.sock.settimeout(self._patience())
        found = self.sock.recv(size)
        if not found:
            raise TTransportException(TTransportException.END_OF_FILE, "the server hung up")
        return found

    def write(self, data: bytes) -> None:
        self.sock.settimeout(self._patience())
        self.sock.sendall(data)

    def flush(self) -> None:
        pass

    def is_open(self) -> bool:
        return True

    def close(self) -> None:
        """Close this process's descriptor only: a shutdown would end a parent's connection."""
        self.sock.close()


class _Connection:
    """A client on a socket, and when it was last used."""

    def __init__(
        self, service: Any, settings: ThriftSettings, endpoint: Endpoint, deadline: float
    ) -> None:
        self.endpoint = endpoint
        self.socket = _Socket(endpoint, settings.timeout, deadline)
        transport = _TRANSPORTS[settings.transport](self.socket, _BUFFER_BYTES)
        protocol = _PROTOCOLS[settings.protocol](transport, decode_response=False)
        self.client = CheckedClient(service, protocol)
        self.used = time.monotonic()

    def close(self) -> None:
        self.socket.close()

    def fresh(self) -> bool:
        """Whether it can be expected to work: neither long silent, nor hung up by the server."""
        if time.monotonic() - self.used > _IDLE_SECONDS:
            return False
        # Nobody asked for anything: whatever there is to read, it is no answer.
        poll = select.poll()
        poll.register(self.socket.sock, select.POLLIN)
        return not poll.poll(0)


class Caller:
    """Runs calls on some server, with reconnects, retries, backoff and a deadline."""

    def __init__(self, service: Any, settings: ThriftSettings, where: str) -> None:
        self._service = service
        self._settings = settings
        self._where = where
        # Workers start at different servers, so that these share the load.
        self._turn = random.randrange(len(settings.endpoints))  # noqa: S311 - not a secret
        self._pool = ConnectionPool(_Connection.close, abandon=_Connection.close)

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
            endpoint = self._settings.endpoints[self._turn % len(self._settings.endpoints)]
            connect = partial(self._open, endpoint, until)
            try:
                with self._pool.connection(connect, _Connection.fresh) as lent:
                    endpoint = lent.endpoint
                    lent.socket.deadline = until
                    answer = request(lent.client, number)
                    lent.used = time.monotonic()
                    return answer
            except TRANSIENT as error:
                cause = explain(error)
                if refuses(error):
                    raise RefusedError(cause) from error
                if not isinstance(error, thrift1.IOError):
                    # The others lead to the same server, perhaps: do not wait for each of them.
                    self._pool.clear()
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
            time.sleep(pause)
        raise AssertionError  # count() does not end

    def _open(self, endpoint: Endpoint, deadline: float) -> _Connection:
        # Whether it succeeds or not, the next one is another server's.
        self._turn += 1
        return _Connection(self._service, self._settings, endpoint, deadline)

    def close(self) -> None:
        """Close idle connections."""
        self._pool.clear()


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
