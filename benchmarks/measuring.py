"""What benchmarks share: contestants in turns, medians and ranges, and where they were measured."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from streaming.errors import PrerequisiteError
from streaming.stack.java import java_command

RESULTS = Path(__file__).parent / "results"
REPETITIONS = 5

ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""What a worker beside others has. Libraries read it when they are loaded."""

Spread = dict[str, float]


def on_one_core() -> None:
    """Begin the program anew with libraries that keep to one core, unless they do already."""
    if not ONE_CORE.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_CORE)  # noqa: S606 - this very program


def machine() -> dict[str, str]:
    """Say what the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "java": _java(),
    }


def versions(*names: str) -> dict[str, str]:
    """Give the versions of installed distributions."""
    return {name: version(name) for name in names}


def spread(values: Sequence[float]) -> Spread:
    """Give the median of some measurements, and their range."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def in_turns(
    contestants: Mapping[str, Callable[[], int]], repetitions: int = REPETITIONS
) -> dict[str, list[float]]:
    """Let all work in turns and give each one's units per second of the processor.

    Each does its work and says how many units it was. What it does first warms it up and
    does not count.
    """
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for repetition in range(repetitions + 1):
        for name, work in contestants.items():
            begin = time.process_time()
            units = work()
            spent = time.process_time() - begin
            if repetition:
                rates[name].append(units / spent)
    return rates


def times(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Compare measurements of the same turns: how many times as fast the first are."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])


def write(name: str, told: Mapping[str, Any]) -> Path:
    """Write results, with the machine and the moment, where the page finds them."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    measured = {"machine": machine(), "measured": time.strftime("%Y-%m-%d", time.gmtime())}
    file.write_text(json.dumps({**measured, **told}, indent=1, ensure_ascii=False) + "\n")
    return file


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _java() -> str:
    try:
        answer = subprocess.run(
            [java_command(), "-version"], capture_output=True, text=True, check=True
        )
    except PrerequisiteError:
        return "none"
    return answer.stderr.partition('"')[2].partition('"')[0]
