"""Run synchronous code step by step: a pause before each thing asked of the store.

Tasks are greenlets of one thread, so a seeded choice of who goes on is a whole schedule,
and the same seed gives the same one again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any, TypeVar

import greenlet

from streaming.errors import StoreUnavailable
from streaming.store.contract import Cells, Mutation
from streaming.store.memory import MemoryStore

Answer = TypeVar("Answer")


class Order(Enum):
    """What becomes of the step before which a task waits."""

    GO = auto()
    LOSE_REPLY = auto()
    """It is done, but the task is told that the store was away."""
    DO_LATER = auto()
    """The task is told that the store was away, and some time later it is done."""


class Task:
    """A piece of work that pauses before every step; ``result`` when it is done."""

    def __init__(self, work: Callable[[], Any], hub: greenlet.greenlet) -> None:
        self._greenlet = greenlet.greenlet(work, parent=hub)
        self.waiting_for: Callable[[], bool] | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.steps = 0

    @property
    def done(self) -> bool:
        return bool(self._greenlet.dead)

    def is_run_by(self, one: greenlet.greenlet | None) -> bool:
        return self._greenlet is one

    @property
    def ready(self) -> bool:
        return not self.done and (self.waiting_for is None or bool(self.waiting_for()))

    def end(self) -> None:
        """Do no more steps: a task that was left in the middle holds all that it saw for ever."""
        while not self.done:
            # What it still does on its way out, and how that ends, concerns nobody.
            with suppress(Exception):
                self._greenlet.throw()

    def step(self, order: Order = Order.GO) -> None:
        """Do one step, up to the next pause."""
        self.steps += 1
        try:
            answer = self._greenlet.switch(order) if self.steps > 1 else self._greenlet.switch()
        except Exception as error:  # noqa: BLE001 - whoever waits for the task raises it again
            self.error = error
            return
        if self._greenlet.dead:
            self.result = answer
        else:
            self.waiting_for = answer


def pause(until: Callable[[], bool] | None = None) -> Order:
    """Let others go on; called from within a task. ``until`` tells when it may be resumed."""
    order: Order = greenlet.getcurrent().parent.switch(until)
    return order


@dataclass
class Belated:
    """A change that the store makes after its caller has given up on it."""

    apply: Callable[[], Any]


class SteppingStore(MemoryStore):
    """A store in memory that pauses the task that asks before every row that it changes."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        super().__init__(name, clock=clock)
        self.belated: list[Belated] = []

    def _step(self, apply: Callable[[], Answer]) -> Answer:
        if greenlet.getcurrent().parent is None:
            return apply()
        match pause():
            case Order.LOSE_REPLY:
                apply()
                raise StoreUnavailable("the reply was lost")
            case Order.DO_LATER:
                self.belated.append(Belated(apply))
                raise StoreUnavailable("no answer in time")
        return apply()

    def rows(self, table: str, keys: Sequence[bytes]) -> dict[bytes, Cells]:
        ordered = list(keys)
        if len(ordered) < 2:
            return self._step(lambda: super(SteppingStore, self).rows(table, ordered))
        # Rows of one call may be seen as of different moments.
        middle = len(ordered) // 2
        found = self._step(lambda: super(SteppingStore, self).rows(table, ordered[:middle]))
        return found | self._step(lambda: super(SteppingStore, self).rows(table, ordered[middle:]))

    def mutate(self, table: str, mutations: Iterable[Mutation]) -> None:
        for mutation in mutations:
            parts = [mutation]
            if mutation.put and mutation.delete:
                # HBase's service sends the two apart, puts first.
                kept = tuple(q for q in mutation.delete if q not in mutation.put)
                parts = [Mutation(mutation.row, mutation.put), Mutation(mutation.row, {}, kept)]
            for part in parts:
                self._step(partial(super().mutate, table, [part]))

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        limit: int | None = None,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, Cells]]:
        inner = super().scan
        yield from self._step(
            lambda: list(inner(table, start, stop, limit=limit, keys_only=keys_only))
        )

    def compare_and_put(
        self, table: str, row: bytes, qualifier: bytes, expected: bytes | None, value: bytes
    ) -> bool:
        inner = super().compare_and_put
        return self._step(lambda: inner(table, row, qualifier, expected, value))
