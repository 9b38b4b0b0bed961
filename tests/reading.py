"""Somebody who does what the documentation says, in a directory of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
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
        done = subprocess.run(
            self._shell(example),
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, f"{example}\n{done.stdout}"
        return done.stdout

    @contextmanager
    def leaves_running(self, example: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run an example until the context ends, then press Ctrl-C; it has to end well."""
        with log.open("wb") as out:
            program = subprocess.Popen(
                self._shell(f"exec {example}"),
                cwd=self.directory,
                env=self._environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield program
            os.killpg(program.pid, signal.SIGINT)
            assert program.wait(TIMEOUT) == 0, log.read_text()
        finally:
            program.kill()
            program.wait()

    def asks(self, address: str) -> str:
        """Open a page, waiting for whoever serves it to be there."""
        until = time.monotonic() + TIMEOUT
        while True:
            try:
                with urlopen(self._own(address), timeout=TIMEOUT) as answer:  # noqa: S310 - HTTP
                    return str(answer.read().decode())
            except URLError:
                assert time.monotonic() < until, f"nobody answers at {address}"
                time.sleep(0.2)

    def _own(self, text: str) -> str:
        for usual, own in self._places.items():
            text = text.replace(usual, own)
        return text

    def _shell(self, example: str) -> list[str]:
        return ["bash", "-euo", "pipefail", "-c", self._own(example)]
