"""Seeded sub-streams: the same numbers in every process, whatever was drawn elsewhere."""

from hashlib import blake2b
from random import Random


def stream(seed: int, *path: int | str) -> Random:
    """Return the random numbers that belong to ``path`` under ``seed``.

    Independent of ``PYTHONHASHSEED`` and of every other sub-stream; not for secrets.
    """
    return Random(stable_hash(seed, *path))  # noqa: S311 - simulation, reproducible on purpose


def stable_hash(*parts: int | str) -> int:
    """Return 64 bits that depend on ``parts`` only."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
