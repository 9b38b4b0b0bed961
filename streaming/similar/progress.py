"""The small file that says how much of a view's columns counts, and for what they were made.

It is replaced as a whole, always after what it speaks of was written. Columns survive the
death of a process but not that of the machine, so a view of before the last start of the
machine is as good as none: it is made again from the log.
"""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from streaming.similar.scoring import Ranking

_LAYOUT = 2
_NAME = "view.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class Progress:
    """How far a view is.

    ``entered`` is how many of the ``names`` are in the table of ids for certain, ``text`` how
    many bytes they have. ``keywords`` and ``cells`` count those of all ``descriptions``.
    ``segments`` are the first description, the one after the last, and a file's name.
    """

    reached: bytes = b""
    names: int = 0
    text: int = 0
    entered: int = 0
    descriptions: int = 0
    keywords: int = 0
    cells: int = 0
    dimensions: int | None = None
    topics: list[str] = field(default_factory=list)
    segments: list[tuple[int, int, str]] = field(default_factory=list)

    @classmethod
    def read(cls, directory: Path, ranking: Ranking) -> Self | None:
        """Read what `write` left; None if it is not there, or of other columns than ours."""
        try:
            fields = orjson.loads((directory / _NAME).read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        if not isinstance(fields, dict) or fields.pop("made", None) != _made(ranking):
            return None
        fields["reached"] = bytes.fromhex(fields["reached"])
        fields["segments"] = [(first, end, name) for first, end, name in fields["segments"]]
        return cls(**fields)

    def write(self, directory: Path, ranking: Ranking) -> None:
        """Put the file in place of the one before."""
        fields = asdict(self) | {"reached": self.reached.hex(), "made": _made(ranking)}
        scratch = directory / f"{_NAME}.scratch"
        scratch.write_bytes(orjson.dumps(fields))
        scratch.replace(directory / _NAME)


def forget(directory: Path) -> None:
    """Remove a view's files, the one that speaks of the others first."""
    (directory / _NAME).unlink(missing_ok=True)
    for pattern in ("*.column", "*.postings", "*.scratch"):
        for path in directory.glob(pattern):
            path.unlink()


def _made(ranking: Ranking) -> dict[str, Any]:
    boot = _BOOT.read_text().strip() if _BOOT.exists() else os.uname().version
    return {"layout": _LAYOUT, "boot": boot, "ranking": asdict(ranking)}
