"""Which of several equal servers is asked next."""

import random
import time
from collections.abc import Sequence
from typing import Generic, TypeVar

Server = TypeVar("Server")

_FIRST_REST_SECONDS = 2.0
_LONGEST_REST_SECONDS = 60.0


class Rotation(Generic[Server]):
    """Gives servers in turn; one that failed rests, ever longer, as long as another does not.

    Threads may share it: at worst two of them are given the same server.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = tuple(servers)
        # Workers start at different servers, so that these share the load.
        self._turn = random.randrange(len(self._servers))  # noqa: S311 - not a secret
        self._resting: dict[Server, tuple[float, float]] = {}

    def take(self) -> Server:
        """Give the server whose turn it is."""
        now = time.monotonic()
        count = len(self._servers)
        following = [self._servers[(self._turn + n) % count] for n in range(count)]
        awake = (n for n, each in enumerate(following) if self._resting.get(each, (0, 0))[0] <= now)
        skipped = next(awake, 0)
        self._turn = (self._turn + skipped + 1) % count
        return following[skipped]

    def failed(self, server: Server) -> None:
        """Let a server rest, twice as long as the last time if it has not worked since."""
        _, last = self._resting.get(server, (0.0, _FIRST_REST_SECONDS / 2))
        rest = min(2 * last, _LONGEST_REST_SECONDS)
        self._resting[server] = (time.monotonic() + rest, rest)

    def worked(self, server: Server) -> None:
        """Note that a server is well."""
        if server in self._resting:
            self._resting.pop(server, None)
