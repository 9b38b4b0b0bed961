"""The frame of a long experiment on a stack of its own, whose files stay if something is wrong."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from rich.console import Console

from streaming.errors import LeitongError
from streaming.stack.settings import Options
from streaming.stack.stack import LocalStack
from tests.faults.query import Stuck
from tests.faults.report import Checks

Experiment = Callable[[LocalStack, Path, Checks], None]


def conduct(name: str, told: str, experiment: Experiment, options: Options | None = None) -> int:
    """Start servers, run the experiment, show its checks; gives the exit status.

    SIGTERM ends it as Ctrl-C does. What the experiment raises of ours is a check that fails.
    """
    signal.signal(signal.SIGTERM, _end)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    checks = Checks(console)
    directory = Path(tempfile.mkdtemp(prefix=f"leitong-{name}-"))
    stack = LocalStack(directory / "stack", LocalStack.free_ports(), options or Options())
    console.print(f"{told}; files in {directory}")
    good = False
    try:
        stack.up(progress=console.print)
        experiment(stack, directory, checks)
        good = checks.good
    except (LeitongError, Stuck, AssertionError, subprocess.SubprocessError) as error:
        checks.check("the run came to its end", holds=False, detail=str(error))
    finally:
        stack.down(erase=good)
        if good:
            shutil.rmtree(directory)
        else:
            console.print(f"logs and tables are kept in {directory}")
    checks.show()
    return 0 if good else 1


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
