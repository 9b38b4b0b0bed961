"""Pack this installation for the workers of a cluster that have nothing but Python and Spark.

The archive holds Leitong and the distributions that it needs, as they are installed here, with
the dictionary and the compiled loops. Spark unpacks it on each executor; ``bin/python`` in it
starts the host's Python with what is there, wherever that is.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from streaming.errors import LeitongError
from streaming.stack.jars import Progress

SUFFIXES = {".tar.gz": "w:gz", ".tgz": "w:gz", ".tar": "w"}
"""What a file may be called that Spark unpacks, and how tarfile writes it."""

PACKAGES = ("streaming", "producers", "schemas", "deploy")
"""What the distribution of Leitong installs."""

_LEVEL = 1
"""Of gzip: level 6 takes four times as long for an archive that is 5 % smaller."""
_LEFT_OUT = ("jars", "bin", "sbin", "data", "examples", "licenses", "python")
"""Folders of PySpark for a host that has no Spark; workers run within one."""
_LAUNCHER = """#!/bin/sh
# Runs {python} with what is in this archive, wherever that was unpacked.
home=$(cd "$(dirname "$0")/.." && pwd) || exit 1
export PYTHONPATH="$home/site${{PYTHONPATH:+:$PYTHONPATH}}"
export LEITONG_PREPARED="$home/prepared"
export LEITONG_HOME="${{LEITONG_HOME:-$home/cache}}"
exec "${{LEITONG_PYTHON:-{python}}}" "$@"
"""


def pack(target: Path, progress: Progress) -> int:
    """Write the archive, whole or not at all; gives its size in bytes.

    Raises LeitongError if a distribution is missing, or if the file cannot be written.
    """
    mode = next((mode for end, mode in SUFFIXES.items() if target.name.endswith(end)), None)
    if mode is None:
        raise LeitongError(f"{target}: Spark unpacks {', '.join(SUFFIXES)}; call it so")
    target = target.absolute()
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            stage = Path(scratch) / "stage"
            _fill(stage, progress)
            progress("writing the archive")
            written = Path(scratch) / "archive"
            options = {"compresslevel": _LEVEL} if mode == "w:gz" else {}
            with tarfile.open(written, mode, **options) as archive:  # type: ignore[call-overload]  # of the mode's options
                for path in sorted(stage.iterdir()):
                    archive.add(path, path.name, filter=_of_nobody)
            written.chmod(0o644)
            written.replace(target)
    except OSError as error:
        raise LeitongError(f"{target} cannot be written: {error}") from error
    return target.stat().st_size


def distributions() -> list[metadata.Distribution]:
    """Give what Leitong needs to run, itself left out, by name.

    Raises LeitongError if one of them is not installed.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = list(_required(metadata.distribution("leitong")))
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            try:
                found[name] = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                raise LeitongError(
                    f"{name} is not installed here, and Leitong needs it: install leitong again"
                ) from None
            waiting += _required(found[name])
    return [found[name] for name in sorted(found)]


def _required(distribution: metadata.Distribution) -> Iterator[str]:
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name


def _fill(stage: Path, progress: Progress) -> None:
    site = stage / "site"
    needed = distributions()
    progress(f"copying Leitong and {len(needed)} packages")
    for distribution in needed:
        _copy(distribution, site)
    for name in PACKAGES:
        spec = find_spec(name)
        home = Path(spec.origin or "").parent if spec else Path()
        shutil.copytree(home, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    _copy(metadata.distribution("leitong"), site, only=".dist-info/")
    launcher = stage / "bin" / "python"
    launcher.parent.mkdir()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    launcher.write_text(_LAUNCHER.format(python=version))
    launcher.chmod(0o755)
    progress("compiling the loops and laying out the dictionary")
    _prepare(launcher, stage)


def _copy(distribution: metadata.Distribution, site: Path, only: str = "") -> None:
    """Copy the files of a distribution that workers may import; scripts lie elsewhere."""
    for file in distribution.files or ():
        parts = file.parts
        spark = parts[0] == "pyspark" and len(parts) > 1 and parts[1] in _LEFT_OUT
        if spark or parts[0] == ".." or "__pycache__" in parts or only not in file.as_posix():
            continue
        target = site / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(distribution.locate_file(file), target)  # type: ignore[arg-type]  # a path, where files are installed


def _prepare(launcher: Path, stage: Path) -> None:
    """Have what is packed make what it would make first; beside it, where executors find it."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "NUMBA_CACHE_DIR", "LEITONG_PYTHON"}
    }
    done = subprocess.run(
        [launcher, "-c", "from streaming.preparing import prepare_texts; prepare_texts(id)"],
        env=environment | {"LEITONG_HOME": str(stage / "prepared"), "LEITONG_PYTHON": _python()},
        cwd=stage,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise LeitongError(f"what was packed does not run: {said[-1]}")
    for path in (stage / "site").rglob("__pycache__/*.pyc"):
        # Python makes these in no time, and they name files of this host.
        path.unlink()


def _python() -> str:
    """Give the interpreter without the environment that it is in, if it is in one."""
    return getattr(sys, "_base_executable", sys.executable)


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
