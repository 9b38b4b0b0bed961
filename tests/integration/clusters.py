"""Spark on several executors of this machine, under one driver or as a cluster of processes."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

from streaming.stack.ports import LOOPBACK, free_ports

START_SECONDS = 120
STOP_SECONDS = 30


def spark_home(directory: Path) -> Path:
    """Make a home of Spark as it is installed; executors keep their files in it."""
    directory.mkdir()
    for part in Path(pyspark.__path__[0]).iterdir():
        (directory / part.name).symlink_to(part)
    return directory


def environment(home: Path) -> dict[str, str]:
    """Give what a driver, and everything it starts, needs to find this home and this program."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": LOOPBACK,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


@contextmanager
def standalone(
    home: Path,
    workers: int = 2,
    cores: int = 1,
    memory: str = "1g",
    *options: str,
    inherited: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run a master and workers, each a process of its own; gives the master's address.

    They have the ``inherited`` variables only, if there are any.
    """
    port, page = free_ports(2)
    address = f"spark://{LOOPBACK}:{port}"
    variables = os.environ | environment(home) if inherited is None else dict(inherited)
    variables |= {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": LOOPBACK}
    variables |= {"SPARK_DAEMON_JAVA_OPTS": " ".join(options)}
    place = ["--host", LOOPBACK]
    master = ["master.Master", *place, "--port", str(port), "--webui-port", str(page)]
    worker = ["worker.Worker", *place, "--webui-port", "0", "--cores", str(cores)]
    worker += ["--memory", memory, "--work-dir", str(home / "work"), address]
    with ExitStack() as stack:
        started = [stack.enter_context(_daemon(home, "master", master, variables))]
        started += [
            stack.enter_context(_daemon(home, f"worker-{number}", worker, variables))
            for number in range(workers)
        ]
        until = time.monotonic() + START_SECONDS
        while _alive(page) < workers:
            if time.monotonic() > until or any(each.poll() is not None for each in started):
                raise RuntimeError(f"the cluster did not start; {home}/*.log tell why")
            time.sleep(0.2)
        yield address


@contextmanager
def _daemon(
    home: Path, name: str, command: list[str], variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    program = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{command[0]}"]
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([*program, *command[1:]], env=variables, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _alive(page: int) -> int:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{page}/json/", timeout=5) as answer:
            return int(json.load(answer)["aliveworkers"])
    except OSError:
        return 0
