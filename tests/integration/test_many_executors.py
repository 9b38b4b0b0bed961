"""The same job on one executor, and on two with processes of their own: the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.clusters import environment, spark_home, standalone
from tests.integration.logs import TIMEOUT, publish
from tests.newsfeed import simulated

EXPORTS = ("verdicts", "articles", "statistics")
QUICK = "-XX:TieredStopAtLevel=1"
EXECUTORS = ("spark.executor.memory=700m", f"spark.executor.extraJavaOptions={QUICK}")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    address = f"file:{tmp_path_factory.mktemp('log')}"
    publish(address, simulated(600))
    return address


@pytest.fixture(scope="module")
def of_one(log: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return exports(log, "local[1]", tmp_path_factory.mktemp("one"), {})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return spark_home(tmp_path / "spark")


def test_two_executors_of_one_driver(
    log: str, of_one: dict[str, bytes], home: Path, tmp_path: Path
) -> None:
    found = exports(log, "local-cluster[2,1,1024]", tmp_path, environment(home))
    assert found == of_one
    assert executors(home) == 2


def test_two_workers_of_a_standalone_cluster(
    log: str, of_one: dict[str, bytes], home: Path, tmp_path: Path
) -> None:
    with standalone(home, 2, 1, "1g", QUICK) as master:
        found = exports(log, master, tmp_path, environment(home))
    assert found == of_one
    assert executors(home) == 2


def executors(home: Path) -> int:
    """How many executors ran tasks, by what they left behind."""
    return sum("Running task" in file.read_text() for file in home.glob("work/*/*/stderr"))


def exports(log: str, master: str, directory: Path, variables: dict[str, str]) -> dict[str, bytes]:
    leitong = [sys.executable, "-m", "streaming"]
    sets = [part for each in (f"spark.master={master}", *EXECUTORS) for part in ("--set", each)]
    commands = [["run", "--source", log, "--max-batch", "250", "--until-caught-up", *sets]]
    commands += [["export", what, "--to", f"{what}.jsonl"] for what in EXPORTS]
    for command in commands:
        subprocess.run(
            [*leitong, *command, "--store", "sqlite:index.db"],
            cwd=directory,
            env=os.environ | variables,
            check=True,
            timeout=TIMEOUT,
            capture_output=True,
        )
    found = {what: (directory / f"{what}.jsonl").read_bytes() for what in EXPORTS}
    assert all(found.values())
    return found
