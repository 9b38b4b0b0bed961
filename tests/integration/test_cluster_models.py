"""Models of a local directory on a cluster, whose workers do not see it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streaming.similar.scoring import Ranking
from tests.integration.clusters import environment, spark_home
from tests.integration.logs import leitong, publish, wait
from tests.integration.test_similar_query import WITH_MODELS, lists_of, must_list, train
from tests.newsfeed import simulated

CLUSTER = (
    *("--set", "spark.master=local-cluster[2,1,1024]"),
    *("--set", "spark.python.daemon.module=tests.integration.guarded"),
)
STORE = ("--store", "sqlite:index.db")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = spark_home(tmp_path / "spark")
    monkeypatch.setenv("LEITONG_OUT_OF_REACH", str(tmp_path / "models"))
    for name, value in environment(made).items():
        monkeypatch.setenv(name, value)
    return made


def test_versions_are_brought_to_workers_that_cannot_open_their_directory(
    tmp_path: Path, home: Path
) -> None:
    log = f"file:{tmp_path / 'log'}"
    feed = simulated(300)
    publish(log, feed[:200])
    names = [train(tmp_path, 1, Ranking(size=4)), train(tmp_path, 7, Ranking(size=3))]
    leitong("models", "activate", "v0001", "--models", "models", directory=tmp_path)
    said = tmp_path / "run.log"
    with said.open("w") as out:
        query = subprocess.Popen(
            [sys.executable, "-m", "streaming", "run", *STORE, *WITH_MODELS, *CLUSTER],
            cwd=tmp_path,
            stderr=out,
            stdout=out,
        )
        try:
            wait(lambda: "200 events" in said.read_text(), query)
            first = lists_of(STORE[1], tmp_path)
            assert first == must_list(log, tmp_path, names[0])
            leitong("models", "activate", "v0002", "--models", "models", directory=tmp_path)
            publish(log, feed[200:])
            wait(lambda: "100 events" in said.read_text(), query)
        finally:
            query.send_signal(signal.SIGINT)
            query.wait(60)
    assert query.returncode == 0
    assert len(list(home.glob("work/*/*/models-*/manifest.json"))) == 2 * len(names)
    leitong("replay", "--vectors-only", *STORE, *WITH_MODELS, *CLUSTER, directory=tmp_path)
    assert lists_of(STORE[1], tmp_path) == must_list(log, tmp_path, names[1])
