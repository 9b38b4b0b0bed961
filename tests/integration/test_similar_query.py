"""Lists of similar articles through the whole query: on both stacks, after crashes, and while
one version of the models follows another."""

import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from streaming.engine.events import LoggedContent, became
from streaming.enrichment import Enricher
from streaming.exporting import Line
from streaming.matching.reference import reference
from streaming.query.in_force import name_of
from streaming.settings import Settings
from streaming.similar.description import Description
from streaming.similar.reference import reference_lists
from streaming.similar.registry import Registry
from streaming.similar.scoring import ONE, Ranking
from streaming.stack.stack import LocalStack
from streaming.store import models
from streaming.store.contract import Store
from streaming.store.urls import open_store
from tests.integration.logs import exported, leitong, log_of, publish, wait
from tests.integration.test_query import CRASHING_RUN
from tests.newsfeed import simulated
from tests.similar import versions

ARTICLES = 600
WITH_MODELS = ("--models", "models", "--set", "query.views=views")
VOCABULARY = [
    chr(code) + chr(other) for code in range(0x4E00, 0x4E40) for other in range(0x5730, 0x5750)
]


def train(directory: Path, seed: int, ranking: Ranking) -> str:
    """Publish a version without training; gives its name in a store."""
    made = [
        versions.learned(None, VOCABULARY, seed=seed, cells=5, probes=2),
        versions.learned("python", VOCABULARY[::2], seed=seed + 1),
    ]
    url = str(directory / "models")
    told = versions.publish(url, directory / f"scratch-{seed}", made, ranking=ranking)
    return name_of(Registry(url).handle(told.version))


def must_list(source: str, directory: Path, name: str) -> dict[str, Line]:
    """What the reference says of a log, as the exported lists."""
    registry = Registry(str(directory / "models"))
    handle = registry.handle(name.rpartition("-")[0])
    ranking = registry.read(handle.version).ranking
    described: dict[str, tuple[bytes, Description]] = {}
    events = []
    settings = Settings()
    for answer in Enricher(settings).enrich(log_of(source), {name: handle}):
        if isinstance(answer, LoggedContent):
            events.append(became(answer))
            known = described.get(answer.article)
            if name in answer.described and (known is None or known[0] < answer.position):
                description = Description.decode(answer.described[name])
                described[answer.article] = answer.position, description
    expected = reference(events, settings.matching.rules())
    texts = {article: text for article, (_, text) in described.items()}
    lists = reference_lists(expected, texts, ranking)
    return {
        article: {"article_id": article, "similar": _shown(found), "model": name}
        for article, found in lists.items()
        if found
    }


def _shown(found: Sequence[tuple[str, int]]) -> list[list[str | float]]:
    ordered = sorted(found, key=lambda each: (-each[1], each[0]))
    return [[article, points / ONE] for article, points in ordered]


def lists_of(store: str, directory: Path) -> dict[str, Line]:
    return {line["article_id"]: line for line in exported("similar", store, directory)}


RANKING = Ranking(size=4, vector_weight=0.3)


@pytest.mark.parametrize("size", [150, 5_000])
def test_kafka_to_hbase_gives_the_lists_of_the_reference(
    stack: LocalStack, tmp_path: Path, size: int
) -> None:
    topic = f"kafka://{stack.kafka}/similar-{uuid.uuid4().hex[:8]}"
    publish(topic, simulated(ARTICLES))
    name = train(tmp_path, 1, RANKING)
    leitong("models", "activate", "v0001", "--models", "models", directory=tmp_path)
    store = f"hbase://{stack.hbase}/similar-{uuid.uuid4().hex[:6]}?regions=2"
    run = ("run", "--source", topic, "--store", store, "--until-caught-up", *WITH_MODELS)
    leitong(*run, "--max-batch", str(size), directory=tmp_path)
    expected = must_list(topic, tmp_path, name)
    assert len(expected) > ARTICLES // 3
    assert lists_of(store, tmp_path) == expected


@pytest.mark.parametrize("moment", ["judged", "ranked"])
def test_lists_are_the_same_after_a_crash_and_a_replay(tmp_path: Path, moment: str) -> None:
    publish("file:" + str(tmp_path / "log"), simulated(300))
    name = train(tmp_path, 1, RANKING)
    leitong("models", "activate", "v0001", "--models", "models", directory=tmp_path)
    expected = must_list(f"file:{tmp_path / 'log'}", tmp_path, name)
    settings = ["query.models=models", "query.views=views", "store.url=sqlite:index.db"]
    crashed = subprocess.run(
        [sys.executable, "-c", CRASHING_RUN, moment, *settings], cwd=tmp_path, check=False
    )
    assert crashed.returncode == -signal.SIGKILL
    store = ("--store", "sqlite:index.db")
    leitong("run", "--until-caught-up", *store, *WITH_MODELS, directory=tmp_path)
    assert lists_of(store[1], tmp_path) == expected
    elsewhere = ("--models", "models", "--set", "query.views=others")
    leitong("replay", "--from-beginning", *store, *elsewhere, directory=tmp_path)
    assert lists_of(store[1], tmp_path) == expected


def test_another_version_goes_live_while_the_query_runs(tmp_path: Path) -> None:
    log = f"file:{tmp_path / 'log'}"
    feed = simulated(400)
    publish(log, feed[:250])
    names = [train(tmp_path, 1, RANKING), train(tmp_path, 7, Ranking(size=3, scope="newsroom"))]

    def activate(version: str) -> None:
        leitong("models", "activate", version, "--models", "models", directory=tmp_path)

    activate("v0001")
    with (tmp_path / "run.log").open("w") as said:
        query = subprocess.Popen(
            [sys.executable, "-m", "streaming", "run", "--store", "sqlite:index.db", *WITH_MODELS],
            cwd=tmp_path,
            stderr=said,
            stdout=said,
        )
        try:
            index = open_store(f"sqlite:{tmp_path / 'index.db'}", "main_")
            wait(lambda: "250 events" in (tmp_path / "run.log").read_text(), query)
            before = lists_of("sqlite:index.db", tmp_path)
            assert before == must_list(log, tmp_path, names[0])
            activate("v0002")
            publish(log, feed[250:])
            replay = ("replay", "--vectors-only", "--store", "sqlite:index.db", *WITH_MODELS)
            done = leitong(*replay, directory=tmp_path)
            assert re.search(rf"described under {names[1]}.*readers follow", done.stdout)
            assert models.read(index).followed == names[1]
            wait(lambda: _judged(index) == len({each.key for each in feed}), query)
        finally:
            query.send_signal(signal.SIGINT)
            query.wait(60)
    assert query.returncode == 0
    lists = lists_of("sqlite:index.db", tmp_path)
    assert lists == must_list(log, tmp_path, names[1])
    assert {line["model"] for line in lists.values()} == {names[1]}
    activate("v0001")
    alone = leitong(*replay, directory=tmp_path)
    assert f"readers follow the lists under {names[0]}" in alone.stdout
    assert lists_of("sqlite:index.db", tmp_path) == must_list(log, tmp_path, names[0])
    again = leitong(*replay, directory=tmp_path)
    assert "have everything already" in again.stdout


def _judged(index: Store) -> int:
    return sum(1 for _ in index.scan("article", keys_only=True))
