"""Another setting without an hour of silence: build beside, compare, switch, drop."""

import re
import uuid
from pathlib import Path

import orjson
import pytest

from streaming import generations
from streaming.query.run import prepare
from streaming.settings import load
from streaming.stack.stack import LocalStack
from streaming.store.opening import open_catalogue, open_generation, open_index, with_generation
from streaming.store.tables import CATALOGUE, TABLES
from tests.integration.logs import differences, exported, leitong, must_export, publish
from tests.newsfeed import simulated

STORE = ("--store", "sqlite:index.db")
K2 = ("--set", "matching.k=2")
LIVE = ("run", "--generation", "k2", "--checkpoint", "checkpoint.k2", "--until-caught-up")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a log of 400 events that main has judged."""
    monkeypatch.chdir(tmp_path)
    publish("file:log", simulated(500)[:400])
    leitong("run", "--until-caught-up", *STORE, directory=tmp_path)
    return tmp_path


def test_a_changed_setting_goes_live_without_readers_noticing(here: Path) -> None:
    def said(*arguments: str, check: bool = True) -> str:
        done = leitong(*arguments, *STORE, directory=here, check=check)
        assert check or done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    main = exported("verdicts", STORE[1], here)
    assert "leitong replay --into NAME" in said("run", "--until-caught-up", *K2, check=False)
    assert "is the active one" in said("replay", "--into", "main", *K2, check=False)

    built = said("replay", "--into", "k2", *K2, "--set", "query.verdicts=file:announced")
    assert "400 events" in built
    assert "leitong generations compare main k2" in built
    assert not (here / "announced").exists(), "a generation that nobody reads was announced"
    assert exported("verdicts", STORE[1], here) == main, "readers saw the new generation"

    log = simulated(500)
    publish("file:log", log[400:450])
    assert " 50 events" in said("replay", "--into", "k2", *K2), "it did not go on where it was"
    publish("file:log", log[450:])
    assert " 50 events" in said(*LIVE, *K2)

    listed = {line.split()[0]: line for line in said("generations", "list").splitlines()}
    assert re.search(r"main +active .* 400 .* in force", listed["main"])
    assert re.search(r"k2 +\d.* 500 .* other matching\.k", listed["k2"])
    compared = said("generations", "compare", "main", "k2", "--to", "differing.jsonl")
    rows = [orjson.loads(line) for line in (here / "differing.jsonl").read_bytes().splitlines()]
    changed = [row["article_id"] for row in rows if row["differing"]]
    assert changed, "the two settings do not differ in anything here"
    assert re.search(rf"^different +{len(changed)} ", compared, re.MULTILINE)
    assert "matching.k: 3 in main, 2 in k2" in compared
    assert "main has not read 100 records" in compared

    assert "see generation k2 instead of main" in said("generations", "activate", "k2")
    settings = load(overrides=[("matching.k", "2", "test")], environment={}).settings
    assert (
        differences(exported("verdicts", STORE[1], here), must_export("file:log", settings)) == []
    )
    was = {line["article_id"]: line for line in main}
    now = {line["article_id"]: line for line in exported("verdicts", STORE[1], here)}
    assert {row["article_id"]: (row["a"], row["b"]) for row in rows} == {
        name: (was.get(name), now.get(name))
        for name in was.keys() | now.keys()
        if was.get(name) != now.get(name)
    }

    assert "checkpoint of generation main" in said("run", *K2, check=False)
    assert "latest 100 records" in said("generations", "activate", "main", check=False)
    assert "is the active one" in said("generations", "drop", "k2", "--yes", check=False)
    assert "main is gone" in said("generations", "drop", "main", "--yes")
    assert "main" not in said("generations", "list")
    assert "no generation 'main'" in said("generations", "compare", "k2", "main", check=False)
    assert len(exported("verdicts", STORE[1], here)) == len(now)


def test_another_band_scheme_is_another_generation_with_the_same_verdicts(here: Path) -> None:
    wider = ("--set", "matching.blocks=5", "--set", "matching.chosen=2")
    verdicts = exported("verdicts", STORE[1], here)
    refused = leitong("run", "--until-caught-up", *STORE, *wider, directory=here, check=False)
    assert refused.returncode == 1
    assert "matching.blocks" in refused.stderr
    leitong("replay", "--into", "wider", *STORE, *wider, directory=here)
    leitong("generations", "activate", "wider", *STORE, *wider, directory=here)
    assert exported("verdicts", STORE[1], here) == verdicts, "the schemes are exact, both of them"
    settings = load(overrides=[("store.url", STORE[1], "test")], environment={}).settings
    bands = {
        name: {(row[3], len(row)) for row, _ in open_generation(settings, name).scan("bucket")}
        for name in ("main", "wider")
    }
    assert bands == {
        "main": {(number, 6) for number in range(4)},
        "wider": {(number, 8) for number in range(10)},
    }


def test_a_generation_in_hbase_is_switched_to_and_dropped(stack: LocalStack) -> None:
    url = f"hbase://{stack.hbase}/blue-{uuid.uuid4().hex[:6]}?admin=none&compression=none"
    settings = load(overrides=[("store.url", url, "test")], environment={}).settings
    prepare(settings)
    prepare(with_generation(settings, "k2"), aside=True)
    assert [(each.entry.name, each.active) for each in generations.survey(settings)] == [
        ("main", True),
        ("k2", False),
    ]
    assert generations.activate(settings, "k2") == "main"
    assert open_index(settings) is open_generation(settings, "k2")
    generations.drop(settings, "main")
    assert len(open_generation(settings, "main").missing_tables(TABLES)) == len(TABLES)
    assert open_index(settings).missing_tables(TABLES) == []
    assert [each.entry.name for each in generations.survey(settings)] == ["k2"]
    open_index(settings).drop_tables(TABLES)
    open_catalogue(settings).drop_tables([CATALOGUE])
