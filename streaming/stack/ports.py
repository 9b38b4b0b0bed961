"""Which ports of 127.0.0.1 are in use, and which are free."""

import contextlib
import random
import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"

# Below the ports that the kernel hands to outgoing connections, which would otherwise race us.
_FREE_PORT_RANGE = range(20_000, 32_000)


def listening(port: int) -> bool:
    """Say whether something accepts connections on 127.0.0.1:`port`."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def taken(port: int) -> bool:
    """Say whether a server could not listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As Java's servers do, so that connections still winding down do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def free_ports(count: int, avoid: Iterable[int] = (), *, successors: int = 0) -> list[int]:
    """Return `count` different ports that could be listened on now, none of them in `avoid`.

    The same holds for as many `successors` of each, which are not among the others. Nothing keeps
    them free. Raises OSError if there are not enough.
    """
    used = set(avoid)
    # Seeded by the system: two processes that look at the same time should look elsewhere.
    candidates = random.SystemRandom().sample(_FREE_PORT_RANGE, len(_FREE_PORT_RANGE))
    found: list[int] = []
    for port in candidates:
        if len(found) == count:
            break
        block = range(port, port + successors + 1)
        if used.isdisjoint(block) and not any(map(taken, block)):
            found.append(port)
            used.update(block)
    if len(found) < count:
        raise OSError(
            f"no {count} free ports between {_FREE_PORT_RANGE.start} and {_FREE_PORT_RANGE.stop}"
        )
    return found
