"""The order of one attempt at a micro-batch; whoever runs its two jobs, it is this.

Everything here may be done again, at any moment and from any moment on: an attempt that
died is followed by another one, and what survives of it may go on beside that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from streaming.position import Position
from streaming.store import ownership
from streaming.store.contract import Store

Answers = TypeVar("Answers")


@dataclass(frozen=True, slots=True)
class Attempted(Generic[Answers]):
    """What came out of an attempt: its token, the mark, and what the judges answered."""

    token: bytes
    mark: bytes | None
    judged: Answers


def attempt(
    store: Store,
    top: Position | None,
    put: Callable[[], None],
    judge: Callable[[bytes, bytes | None], Answers],
) -> Attempted[Answers]:
    """Put, wait for all of it, then judge.

    ``top`` is the largest position of the batch, None if it holds no valid event. ``put``
    returns when all events are put; ``judge`` takes a token and the mark.

    The mark is raised before the first put, so that an attempt that dies half way is seen
    by the next. The token is taken after the last put: of two verdicts the one under the
    larger token has seen more, even if two queries work on one index.
    """
    entrance = ownership.enter(store, top)
    put()
    token = ownership.next_token(store)
    mark = ownership.mark_beside(store, entrance)
    return Attempted(token, mark, judge(token, mark))
