"""What Thrift messages travel through: a socket whose every wait ends, plain, in TLS or in HTTP."""

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from http import HTTPStatus

from thriftpy2.transport import TTransportException


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class HttpRefusal(TTransportException):
    """The server answered with another status than that of an answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(TTransportException.UNKNOWN, f"HTTP {status} {reason}".rstrip())
        self.status = status


class DeadlineSocket:
    """A socket with the face of a Thrift transport, which no read or write outlives.

    ``timeout`` is how many seconds the server may be silent, ``deadline`` when, in monotonic
    seconds, everything ends. In TLS if there is a ``context``.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        timeout: float,
        deadline: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.timeout = timeout
        self.deadline = deadline
        self.sock = socket.create_connection((endpoint.host, endpoint.port), self._patience())
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if context is not None:
                self.sock = context.wrap_socket(self.sock, server_hostname=endpoint.host)
        except BaseException:
            self.sock.close()
            raise

    def _patience(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline passed")
        return min(self.timeout, left)

    def read(self, size: int) -> bytes:
        """Give up to ``size`` bytes, and at least one."""
        self.sock.settimeout(self._patience())
        found = self.sock.recv(size)
        if not found:
            raise TTransportException(TTransportException.END_OF_FILE, "the server hung up")
        return found

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self.sock.settimeout(self._patience())
        self.sock.sendall(data)

    def flush(self) -> None:
        """Do nothing: what was written is sent."""

    def is_open(self) -> bool:
        """Say yes, as Thrift asks."""
        return True

    def close(self) -> None:
        """Close this process's descriptor only: a shutdown would end a parent's connection."""
        self.sock.close()


class Http:
    """A Thrift transport that posts each message over one connection, which is kept open.

    thriftpy2 has one as well; that one waits without end for a server that stalls, posts a
    second time by itself, and takes an error's page for an answer.
    """

    def __init__(self, stream: DeadlineSocket, endpoint: Endpoint, buffer_bytes: int) -> None:
        self._client = http.client.HTTPConnection(endpoint.host, endpoint.port)
        self._client.auto_open = 0
        self._client.sock = _HttpSocket(stream, buffer_bytes)
        self._request = bytearray()
        self._answer = io.BytesIO()
        self.ends = False
        """Whether the server has said that this connection is of no more use."""

    def write(self, data: bytes) -> None:
        """Keep it for the next message."""
        self._request += data

    def flush(self) -> None:
        """Post what was written, and wait for the answer."""
        body, self._request = bytes(self._request), bytearray()
        try:
            self._client.request("POST", "/", body, {"Content-Type": "application/x-thrift"})
            response = self._client.getresponse()
            self.ends = response.will_close
            answer = response.read()
        except http.client.HTTPException as error:
            raise TTransportException(
                TTransportException.UNKNOWN, f"no answer in HTTP ({type(error).__name__})"
            ) from error
        if response.status != HTTPStatus.OK:
            raise HttpRefusal(response.status, response.reason)
        self._answer = io.BytesIO(answer)

    def read(self, size: int) -> bytes:
        """Give up to ``size`` bytes of the answer, and at least one."""
        found = self._answer.read(size)
        if not found:
            raise TTransportException(TTransportException.END_OF_FILE, "the answer is cut off")
        return found

    def is_open(self) -> bool:
        """Say yes, as Thrift asks."""
        return True

    def close(self) -> None:
        """Leave it to the connection, which opened the socket."""


class _HttpSocket:
    """What Python's HTTP client takes for a socket."""

    def __init__(self, stream: DeadlineSocket, buffer_bytes: int) -> None:
        self._stream = stream
        self._buffer_bytes = buffer_bytes

    def sendall(self, data: bytes) -> None:
        self._stream.write(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._stream), self._buffer_bytes)

    def close(self) -> None:
        """Leave it to the connection, which opened it."""


class _Incoming(io.RawIOBase):
    """What comes in, for one answer."""

    def __init__(self, stream: DeadlineSocket) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self._stream.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)
