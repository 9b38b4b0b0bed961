"""What may ask, and what may be asked: hosts, tokens, and the parameters of questions."""

import hmac
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from streaming.dashboard.periods import RANGES, Range
from streaming.serving import is_of_this_machine

Choice = TypeVar("Choice", bound=str)

MOST_PARAMETERS = 8
MOST_CHARACTERS = 512
"""Characters of a parameter, and of an article's id in a path."""
_FIRST_MS, _LAST_MS = 0, 1 << 45


class Refused(Exception):  # noqa: N818 - the answer, not an error of ours
    """A request that is answered with this status and sentence."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def bad(message: str) -> Refused:
    """Give the answer to a question that makes no sense."""
    return Refused(HTTPStatus.BAD_REQUEST, message)


class Gate:
    """Lets those in who may look.

    With a ``token`` whoever brings it as a bearer. Without one the page is on loopback, and
    only for what was addressed to it: a page elsewhere whose name resolves to 127.0.0.1 is not.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    def check(self, environ: Mapping[str, Any]) -> None:
        """Refuse who brings no token, or came by another name."""
        if self._token is None:
            if not is_of_this_machine(environ.get("HTTP_HOST", "")):
                raise Refused(
                    HTTPStatus.MISDIRECTED_REQUEST, "this page is on 127.0.0.1 and localhost only"
                )
            return
        kind, _, brought = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        same = hmac.compare_digest(brought.strip().encode(), self._token.encode())
        if kind.lower() != "bearer" or not same:
            raise Refused(HTTPStatus.UNAUTHORIZED, "this page asks for its token")


class Parameters:
    """The parameters of a question, each checked when it is asked for."""

    def __init__(self, query: str) -> None:
        try:
            pairs = parse_qsl(query, max_num_fields=MOST_PARAMETERS, errors="strict")
        except ValueError:
            raise bad("these parameters cannot be read") from None
        if any(len(value) > MOST_CHARACTERS for _, value in pairs):
            raise bad(f"a parameter is longer than {MOST_CHARACTERS} characters")
        self._given = dict(pairs)

    def text(self, name: str, default: str | None = None) -> str:
        """Give a text; it has to be there if there is no default."""
        value = self._given.get(name, default)
        if value is None or "\0" in value:
            raise bad(f"say {name}=")
        return value

    def choice(self, name: str, choices: Iterable[Choice], default: Choice) -> Choice:
        """Give one of several words."""
        said = self._given.get(name, default)
        for each in choices:
            if each == said:
                return each
        raise bad(f"{name} is one of {', '.join(choices)}")

    def range(self, default: str = "24h") -> Range:
        """Give the range of time."""
        return RANGES[self.choice("range", RANGES, default)]

    def moment(self, name: str) -> int | None:
        """Give a time in milliseconds since 1970; None if it is not said."""
        value = self._given.get(name)
        if value is None:
            return None
        if not value.isascii() or not value.isdecimal() or len(value) > 14:  # noqa: PLR2004 - below 2**45
            raise bad(f"{name} is a time in milliseconds since 1970")
        return min(max(int(value), _FIRST_MS), _LAST_MS)
