"""One call as a server reads it, and what may happen to it; see `tests.store.wire`."""

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from thriftpy2.thrift import TApplicationException, TException, TMessageType, TType

if TYPE_CHECKING:
    from tests.store.wire import Server

_HEADER = struct.Struct("!i")


class HangUp(Exception):  # noqa: N818 - what the server does, not what went wrong
    """Raised by a fault: the connection is closed."""


class Line:
    """A connection with the face of a Thrift socket: what is written waits to be sent."""

    def __init__(self, sock: socket.socket, longest_frame: int | None) -> None:
        self.sock = sock
        self.request = bytearray()
        self.answers: dict[str, bytes] = {}
        self._longest_frame = longest_frame
        self._written = b""

    def read(self, size: int) -> bytes:
        first = not self.request and self._longest_frame is not None
        found = self.sock.recv(_HEADER.size if first else size)
        if not found:
            raise HangUp
        if first and _HEADER.unpack(found)[0] > self._longest_frame:
            raise OverflowError
        self.request += found
        return found

    def write(self, data: bytes) -> None:
        self._written += data

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        written, self._written = self._written, b""
        return written

    def wait_for_the_other_end(self) -> None:
        while self.sock.recv(1 << 16):
            pass
        raise HangUp


class Call:
    """One request as the server read it, and what a fault can do with it."""

    def __init__(self, server: "Server", line: Line, protocol: Any) -> None:
        line.request.clear()
        self.server = server
        self.line = line
        self._protocol = protocol
        self.method, _, self.number = protocol.read_message_begin()
        if self.method in server.service.thrift_services:
            arguments = getattr(server.service, self.method + "_args")()
            arguments.read(protocol)
            self.arguments = [
                getattr(arguments, spec[1]) for spec in arguments.thrift_spec.values()
            ]
        else:
            protocol.skip(TType.STRUCT)
        protocol.read_message_end()

    def apply(self) -> Any:
        """Do what was asked; give the struct that answers it."""
        if self.method not in self.server.service.thrift_services:
            return TApplicationException(TApplicationException.UNKNOWN_METHOD)
        try:
            answer = getattr(self.server.handler, self.method)(*self.arguments)
        except TException as error:
            return self.failed(error)
        return self._result("success", answer)

    def failed(self, error: Exception) -> Any:
        """Give the struct that says so."""
        specs = getattr(self.server.service, self.method + "_result").thrift_spec.values()
        return self._result(
            next(spec[1] for spec in specs if spec[1] != "success" and isinstance(error, spec[2])),
            error,
        )

    def nothing(self) -> Any:
        """Give an answer that says that all is well and nothing was found."""
        kinds: dict[int, Any] = {
            TType.LIST: list,
            TType.MAP: dict,
            TType.BOOL: lambda: True,
            TType.I32: int,
        }
        spec = getattr(self.server.service, self.method + "_result").thrift_spec.get(0)
        if spec is None:
            return self._result("success", None)
        kind, _, details, *_ = spec
        return self._result("success", (details if kind == TType.STRUCT else kinds[kind])())

    def _result(self, name: str, value: object) -> Any:
        result = getattr(self.server.service, self.method + "_result")()
        setattr(result, name, value)
        return result

    def encoded(self, answer: Any, *, method: str = "", number: int | None = None) -> bytes:
        """Put an answer into bytes, as one to another call perhaps."""
        wrong = isinstance(answer, TApplicationException)
        self._protocol.write_message_begin(
            method or self.method,
            TMessageType.EXCEPTION if wrong else TMessageType.REPLY,
            self.number if number is None else number,
        )
        answer.write(self._protocol)
        self._protocol.write_message_end()
        self._protocol.trans.flush()
        return self.line.take()

    def answered(self) -> bytes:
        """Apply the call and give its true answer."""
        answer = self.encoded(self.apply())
        # The latest one last.
        self.line.answers.pop(self.method, None)
        self.line.answers[self.method] = answer
        return answer

    def earlier(self, *, same: bool) -> bytes | None:
        """Give the latest answer to another call on this connection, of the same method or not."""
        answers = reversed(self.line.answers.items())
        return next((answer for name, answer in answers if (name == self.method) is same), None)

    def send(self, data: bytes | bytearray) -> None:
        self.line.sock.sendall(data)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a call instead of an answer, if it ``fits`` that call."""

    name: str
    act: Callable[[Call], None]
    fits: Callable[[Call], bool] = lambda _: True
