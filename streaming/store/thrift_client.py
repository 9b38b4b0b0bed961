"""A Thrift client that takes no answer but the one to its own call.

thriftpy2's client sends every call under the number 0 and takes whatever comes next for the
answer: that of an earlier call, of another method, even its own request sent back. A call
that returns nothing, a write, then looks done. Servers answer with the method and the
number they were called with (Apache Thrift's processors do, and so HBase's), so both are
checked here, and that it is an answer at all.
"""

import random
from typing import Any

from thriftpy2.protocol.exc import TProtocolException
from thriftpy2.thrift import TApplicationException, TClient, TException, TMessageType

TRANSIENT = (TException, OSError, EOFError)
"""What a call may raise that is not a mistake of ours: no connection, no sense, or an error."""

_LARGEST_NUMBER = 2**31 - 1
_SHOWN_CHARACTERS = 40


class CheckedClient(TClient):
    """Calls a service over one connection, which is of no more use after any `TRANSIENT` error.

    The server's own exceptions are raised as they are declared; what cannot be read as an
    answer to the call is a `TApplicationException` or a `TProtocolException`.
    """

    def __init__(self, service: Any, protocol: Any) -> None:
        super().__init__(service, protocol)
        # Not the same for all: answers may be mixed up between connections as well.
        self._seqid = random.randrange(_LARGEST_NUMBER)  # noqa: S311 - not a secret

    def _send(self, _api: str, **arguments: Any) -> None:
        # Never negative: the compact protocol would not come to an end of it.
        self._seqid = self._seqid % _LARGEST_NUMBER + 1
        super()._send(_api, **arguments)

    def _recv(self, _api: str) -> Any:
        try:
            answer = self._answer(_api)
        except TRANSIENT:
            raise
        except Exception as error:
            # Bytes out of place: a size below zero, a type that does not exist, and the like.
            raise TProtocolException(  # type: ignore[no-untyped-call]
                TProtocolException.INVALID_DATA,
                f"an answer that cannot be read ({type(error).__name__})",
            ) from error
        if isinstance(answer, TApplicationException):
            raise answer
        fields = [field[1] for field in answer.thrift_spec.values()]
        for field in fields:
            if field != "success" and getattr(answer, field) is not None:
                raise getattr(answer, field)
        if "success" not in fields:
            return None
        if answer.success is None:
            raise TApplicationException(TApplicationException.MISSING_RESULT, "an empty answer")
        return answer.success

    def _answer(self, method: str) -> Any:
        """Read the struct that answers a call of ``method``."""
        name, kind, number = self._iprot.read_message_begin()
        found = name.decode(errors="replace") if isinstance(name, bytes) else name
        if kind not in (TMessageType.REPLY, TMessageType.EXCEPTION):
            raise TApplicationException(
                TApplicationException.INVALID_MESSAGE_TYPE,
                f"a message of type {kind} instead of an answer to {method}",
            )
        if (found, number) != (method, self._seqid):
            raise TApplicationException(
                TApplicationException.WRONG_METHOD_NAME
                if found != method
                else TApplicationException.BAD_SEQUENCE_ID,
                f"the answer to another call: {found[:_SHOWN_CHARACTERS]!r} {number} instead of"
                f" {method!r} {self._seqid}",
            )
        if kind == TMessageType.EXCEPTION:
            answer = TApplicationException()
        else:
            answer = getattr(self._service, method + "_result")()
        answer.read(self._iprot)
        self._iprot.read_message_end()
        return answer
