"""The rounds by hand on Kafka and HBase, done as they are written, on real servers."""

import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from streaming.stack.ports import free_ports
from streaming.stack.stack import LocalStack
from tests.pages import DOCS, README, block, blocks
from tests.reading import TIMEOUT, Reader

TOUR = DOCS / "tour.md"


@pytest.fixture
def reader(stack: LocalStack, tmp_path: Path) -> Reader:
    own = f"rounds-{uuid.uuid4().hex[:6]}"
    metrics, page = free_ports(2)
    places = {
        "127.0.0.1:9092/": f"{stack.kafka}/{own}-",
        "127.0.0.1:9090/leitong": f"{stack.hbase}/{own}?regions=2",
        "9108": str(metrics),
        "leitong dashboard": f"leitong dashboard --listen 127.0.0.1:{page}",
        "127.0.0.1:8600": f"127.0.0.1:{page}",
    }
    return Reader(tmp_path, places)


def without(example: str, *commands: str) -> str:
    """Leave out what tests of the servers do; it has to be there."""
    for command in commands:
        assert f"{command}\n" in example
        example = example.replace(f"{command}\n", "\n")
    return example


def wait(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + TIMEOUT
    while not ready():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.2)


def read(log: Path) -> int:
    """How many records the query has told of: events and what it refused, up to the duplicates."""
    told = re.findall(r"batch \d+: (.*) duplicates", log.read_text(encoding="utf-8"))
    numbers = [re.findall(r"\d+(?:,\d{3})*", each)[:-1] for each in told]
    return sum(int(each.replace(",", "")) for batch in numbers for each in batch)


def test_the_readmes_round_on_servers(reader: Reader) -> None:
    on_files, on_servers = blocks(README, "sh", "A round by hand")
    leitong = ".venv/bin/leitong stack"
    told = reader.does(without(on_servers.text, f"{leitong} up", f"{leitong} down"))
    assert "published 1000 articles" in told
    exported = (reader.directory / "verdicts.jsonl").read_bytes().splitlines()
    verdicts = [orjson.loads(line) for line in exported]
    assert len(verdicts) > 900
    assert {"duplicate", "contained_in", "template"} < {each["relation"] for each in verdicts}
    # Both rounds are made in one directory, and a checkpoint is of one index.
    assert "--checkpoint" in on_servers.text
    assert "--checkpoint" not in on_files.text


def test_the_tour_on_servers(reader: Reader, tmp_path: Path) -> None:
    run, produce = (each.text for each in blocks(TOUR, "sh", "4. Kafka and HBase")[1:])
    dashboard, scrape = (each.text for each in blocks(TOUR, "sh", "5. Look at it"))
    (page,) = re.findall(r"`(http://[\d.:]+/)`", TOUR.read_text(encoding="utf-8"))
    log = tmp_path / "run.log"
    with reader.leaves_running(dashboard, tmp_path / "dashboard.log"):
        with reader.leaves_running(run, log) as query:
            wait(lambda: query.poll() is not None or "topic is not there" in log.read_text())
            assert "published 300 articles" in reader.does(produce)
            wait(lambda: query.poll() is not None or read(log) == 300)
            assert query.poll() is None, log.read_text()
            told = reader.asks(scrape.split()[-1])
            assert "leitong_articles_total{" in told
        now = orjson.loads(reader.asks(f"{page}api/now"))
        assert now["progress"]["source"].startswith("kafka://")
        replay = block(TOUR, "sh", "6. Replay")
        assert reader.does(replay).endswith("the same\n")


def test_the_tour_starts_and_stops_the_servers_as_their_own_tests_do() -> None:
    assert blocks(TOUR, "sh", "4. Kafka and HBase")[0].text == "leitong stack up\n"
    assert block(TOUR, "sh", "7. Stop") == "leitong stack down\n"
