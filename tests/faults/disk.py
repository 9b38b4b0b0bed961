"""A disk that is too small, and can be made larger while it is in use."""

import resource
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from tests.faults import processes
from tests.faults.query import Query

_LARGEST_JAR = 10 * 2**20


class SmallDisk(ABC):
    """A ``directory`` in which there is little room; ``kind`` says in words what limits it."""

    kind: str
    directory: Path

    @property
    def before(self) -> Sequence[str]:
        """A command that has to run whatever is to be limited."""
        return ()

    def used(self) -> int:
        """Give the bytes of the files on it."""
        return sum(file.stat().st_size for file in self.directory.iterdir())

    @abstractmethod
    def grow(self, size: int, query: Query) -> None:
        """Make room for ``size`` bytes, also for a query that runs now."""

    @abstractmethod
    def close(self) -> None:
        """Take it away with everything on it."""


class _Tmpfs(SmallDisk):
    def __init__(self, directory: Path, size: int) -> None:
        self.kind = f"a file system of {size / 2**20:.1f} MiB in memory (mount -t tmpfs)"
        self.directory = directory
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory))

    def grow(self, size: int, query: Query) -> None:
        del query
        _mount("-o", f"remount,size={size}", str(self.directory))

    def close(self) -> None:
        # Lazily: a process that was just killed may not have let go of its files.
        subprocess.run(["umount", "-l", str(self.directory)], capture_output=True, check=True)


class _LimitedFiles(SmallDisk):
    """Files may not grow beyond a size: what the kernel then says is not quite the same."""

    def __init__(self, directory: Path, size: int) -> None:
        self.directory = directory
        # Spark copies its jars, which nobody wants to disturb.
        self._size = max(size, _LARGEST_JAR)
        told = f"{self._size / 2**20:.1f} MiB"
        self.kind = f"no file over {told} (RLIMIT_FSIZE), as nothing can be mounted"

    @property
    def before(self) -> Sequence[str]:
        # The hard limit stays, so that the other can be raised again without privileges.
        return ("prlimit", f"--fsize={self._size}:")

    def grow(self, size: int, query: Query) -> None:
        self._size = max(size, _LARGEST_JAR)
        for process in processes.of_session(query.sessions[-1]):
            _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (self._size, most))

    def close(self) -> None:
        shutil.rmtree(self.directory)


def small_disk(directory: Path, size: int) -> SmallDisk:
    """Give a small disk on ``directory``, a file system of its own if one can be mounted."""
    directory.mkdir()
    try:
        return _Tmpfs(directory, size)
    except (OSError, subprocess.CalledProcessError):
        return _LimitedFiles(directory, size)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], capture_output=True, check=True)
