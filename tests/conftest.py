"""What tests of several folders share: a real Kafka and HBase, and a Spark session."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from pyspark.sql import SparkSession

from streaming.query.session import open_session
from streaming.settings import load
from streaming.stack.settings import Options
from streaming.stack.stack import LocalStack
from tests.listed import build_with_lists
from tests.pages import DOCS

# A driver of a test lives for half a minute, and its start is most of what it costs.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1")

# A shared machine is no stopwatch: how long an example takes says nothing of the code.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[LocalStack]:
    """A real broker and a real HBase with its Thrift servers, on free ports of loopback."""
    # A cheaper compiler: a test's servers live for minutes, and their start is what they cost.
    options = Options(java_options=("-XX:TieredStopAtLevel=1",))
    servers = LocalStack(tmp_path_factory.mktemp("stack"), LocalStack.free_ports(), options)
    # kafka-python leaves a connection to the garbage collector if it is closed while it sends.
    broker = rf"raddr=\('127.0.0.1', {servers.ports.kafka}\)"
    pytestconfig.addinivalue_line("filterwarnings", f"ignore:unclosed .*{broker}:ResourceWarning")
    try:
        servers.up()
        yield servers
    finally:
        servers.down(erase=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """PySpark leaves it to the garbage collector to close the sockets that it collects over."""
    here = Path(__file__).parent
    on_spark = {here / "query", here / "offline"}
    for item in items:
        if not on_spark.isdisjoint(item.path.parents):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    settings = load(overrides=[("spark.master", "local[2]", "test")], environment={}).settings
    session = open_session(settings)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def built_with_lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with lists: of a report, a copy of it, two like it, and something else."""
    return build_with_lists(tmp_path_factory.mktemp("built"))


@pytest.fixture
def with_lists(built_with_lists: Path, no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with that index and its models, and a cache of its own."""
    shutil.copytree(built_with_lists, no_settings, dirs_exist_ok=True)
    monkeypatch.setenv("LEITONG_HOME", str(no_settings / "cache"))
    return no_settings


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as a site; a warning is an error."""
    target = tmp_path_factory.mktemp("site")
    options = ("-W", "--keep-going", "-n", "-q", "-d", str(target / ".doctrees"))
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(DOCS), str(target)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return target


@pytest.fixture
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that no settings file is found."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
