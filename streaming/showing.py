"""Tell a person how work goes: a live line on a terminal, now and then a line elsewhere."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TextIO, TypeVar

from rich.console import Console
from rich.live import Live
from rich.text import Text

Counts = TypeVar("Counts")


class Progress(ABC, Generic[Counts]):
    """Shows counts while it is entered; `describe` says them in one line."""

    def __init__(self, describe: Callable[[Counts], str]) -> None:
        self._describe = describe

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def show(self, counts: Counts) -> None:
        """Show counts, unless what was shown last is too fresh."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Lines(Progress[Counts]):
    """A plain line every ten seconds, as logs like it."""

    def __init__(
        self,
        stream: TextIO,
        describe: Callable[[Counts], str],
        interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(describe)
        self._stream = stream
        self._interval = interval
        self._clock = clock
        self._shown = clock()

    def show(self, counts: Counts) -> None:
        """Write a line if the last one is old enough."""
        now = self._clock()
        if now - self._shown >= self._interval:
            self._shown = now
            self._stream.write(f"{self._describe(counts)}\n")
            self._stream.flush()


class Terminal(Progress[Counts]):
    """One line on a terminal, rewritten eight times a second and gone at the end."""

    def __init__(self, stream: TextIO, describe: Callable[[Counts], str]) -> None:
        super().__init__(describe)
        self._live = Live(
            console=Console(file=stream), refresh_per_second=8, transient=True, auto_refresh=False
        )
        self._shown = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def show(self, counts: Counts) -> None:
        """Rewrite the line if the last one is old enough."""
        now = time.monotonic()
        if now - self._shown >= 1 / 8:
            self._shown = now
            self._live.update(Text(self._describe(counts)), refresh=True)

    def close(self) -> None:
        """Take the line away."""
        self._live.stop()


def progress_on(stream: TextIO, describe: Callable[[Counts], str]) -> Progress[Counts]:
    """Choose how to show progress on a stream."""
    return Terminal(stream, describe) if stream.isatty() else Lines(stream, describe)
