"""Somebody who does what the documentation says, in a directory of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT = 300


class Reader:
    """Runs examples as they stand, with ``places`` instead of the usual addresses."""

    def __init__(self, directory: Path, places: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self._places = places or {}
        installed = directory / ".venv" / "bin"
        installed.mkdir(parents=True)
        program = installed / "leitong"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streaming "$@"\n')
        program.chmod(0o755)
        self._environment = {**os.environ, "PATH": f"{installed}{os.pathsep}{os.environ['PATH']}"}

    def does(self, example: str) -> str:
        """Run an example to its end; gives what it prints, on both streams."""
        with self._running(example, subprocess.PIPE) as program:
            told, _ = program.communicate(timeout=TIMEOUT)
        assert program.returncode == 0, f"{example}\n{told.decode()}"
        return told.decode()

    @contextmanager
    def leaves_running(self, example: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run an example until the context ends, then press Ctrl-C; it has to end well."""
        with log.open("wb") as out, self._running(f"exec {example}", out) as program:
            yield program
            os.killpg(program.pid, signal.SIGINT)
            assert program.wait(TIMEOUT) == 0, log.read_text(encoding="utf-8")

    @contextmanager
    def _running(self, example: str, out: IO[bytes] | int) -> Iterator[subprocess.Popen[bytes]]:
        """Run an example in a session of its own; whatever is left of it at the end is killed."""
        for usual, own in self._places.items():
            example = example.replace(usual, own)
        with subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", example],
            cwd=self.directory,
            env=self._environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as program:
            try:
                yield program
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(program.pid, signal.SIGKILL)

    def asks(self, address: str) -> str:
        """Open a page, waiting for whoever serves it to be there."""
        for usual, own in self._places.items():
            address = address.replace(usual, own)
        until = time.monotonic() + TIMEOUT
        while True:
            try:
                with urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310 - of a test's server
                    return str(answer.read().decode())
            except URLError:
                assert time.monotonic() < until, f"nobody answers at {address}"
                time.sleep(0.2)
