"""Run many histories on all cores: ``python -m tests.simulation.soak --histories 20000``."""

import argparse
import logging
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar
from unittest.mock import patch

from tests.simulation.histories import Kind, history
from tests.simulation.world import PROFILES, Fault, World

_BLOCK = 50

Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass
class Outcome:
    """What came of some histories: how often a fault met a kind of event, and what failed."""

    histories: int = 0
    counts: Counter[tuple[Kind, Fault]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def world(seed: int, profile: str | None = None, style: str | None = None) -> World:
    """Build the world of a seed.

    ``profile`` is one of `PROFILES`, by default the seed's own; ``style`` is as in `history`.
    """
    rng = random.Random(seed)
    profile = profile or list(PROFILES)[seed % len(PROFILES)]
    faults = PROFILES[profile]
    made = history(
        rng,
        topics=2 if faults.two_queries else None,
        style="brief" if faults.expiry else style,
    )
    return World(made, faults, rng, f"{profile}-{seed}")


def soak(seeds: Iterable[int]) -> Outcome:
    """Run the histories of these seeds on all cores."""
    seeds = list(seeds)
    blocks = [seeds[i : i + _BLOCK] for i in range(0, len(seeds), _BLOCK)]
    total = Outcome()
    for outcome in on_all_cores(_run, blocks):
        total.histories += outcome.histories
        total.counts += outcome.counts
        total.failures += outcome.failures
    return total


def on_all_cores(work: Callable[[Work], Result], pieces: Iterable[Work]) -> Iterator[Result]:
    """Give the results of pieces of work, done by processes in which sets have one order."""
    with patch.dict(os.environ, PYTHONHASHSEED="0"):
        pool = multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0)))
    with pool:
        yield from pool.imap_unordered(work, pieces)
        pool.close()
        pool.join()


def _run(seeds: list[int]) -> Outcome:
    logging.disable(logging.WARNING)
    outcome = Outcome()
    for seed in seeds:
        one = world(seed)
        one.run()
        outcome.histories += 1
        outcome.counts += one.counts
        for line in one.differences()[:1]:
            outcome.failures.append(f"seed {seed}: {line}")
        one.forget()
    return outcome


def table(counts: Counter[tuple[Kind, Fault]]) -> str:
    """Lay out how often each fault met each kind of event."""
    lines = ["".join(["".ljust(18), *(kind.rjust(10) for kind in Kind)])]
    lines += [
        "".join([fault.ljust(18), *(f"{counts[kind, fault]:10,}" for kind in Kind)])
        for fault in Fault
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=20_000)
    parser.add_argument("--from-seed", type=int, default=0)
    asked = parser.parse_args()
    begin = time.monotonic()
    outcome = soak(range(asked.from_seed, asked.from_seed + asked.histories))
    lines = [
        table(outcome.counts),
        *outcome.failures,
        f"{outcome.histories:,} histories, {len(outcome.failures)} with a difference",
        f"{time.monotonic() - begin:.0f} s",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
