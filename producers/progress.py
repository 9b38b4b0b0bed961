"""Tell a person how publishing goes: a live line on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from producers.publish import Tally


class Progress(Protocol):
    """Shows tallies while it is entered."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, leaving the terminal as it was."""
        ...

    def show(self, tally: Tally) -> None:
        """Show a tally, unless the last one is too fresh."""
        ...


class Lines:
    """A plain line every ten seconds, as logs like it."""

    def __init__(
        self,
        stream: TextIO,
        interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._interval = interval
        self._clock = clock
        self._shown = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def show(self, tally: Tally) -> None:
        """Write a line if the last one is old enough."""
        now = self._clock()
        if now - self._shown >= self._interval:
            self._shown = now
            self._stream.write(f"{describe(tally)}\n")
            self._stream.flush()


class Terminal:
    """One line on a terminal, rewritten eight times a second and gone at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._live = Live(
            console=Console(file=stream), refresh_per_second=8, transient=True, auto_refresh=False
        )
        self._shown = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, tally: Tally) -> None:
        """Rewrite the line if the last one is old enough."""
        now = time.monotonic()
        if now - self._shown >= 1 / 8:
            self._shown = now
            self._live.update(Text(describe(tally)), refresh=True)


def progress_on(stream: TextIO) -> Progress:
    """Choose how to show progress on a stream."""
    return Terminal(stream) if stream.isatty() else Lines(stream)


def describe(tally: Tally) -> str:
    """Say in one line how much was sent, how fast, and what was wrong."""
    rate = tally.sent / tally.seconds if tally.seconds > 0 else 0.0
    megabytes = tally.bytes / 1_000_000
    text = f"{tally.sent} articles, {megabytes:.1f} MB, {rate:.0f}/s"
    invalid = tally.invalid.total()
    if invalid:
        text += f", {invalid} invalid"
    return text
