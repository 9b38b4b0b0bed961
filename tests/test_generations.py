"""What is told of generations, and when one may be made active or dropped."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest

from streaming import generations
from streaming.errors import LeaseHeld, SettingsError, StoreUnavailable
from streaming.query.keeper import LeaseKeeper
from streaming.query.progress import publish_offsets
from streaming.settings import Settings, load
from streaming.stamping import stamp
from streaming.store import generations as catalogue
from streaming.store import ownership
from streaming.store.contract import Mutation, Store, TableSpec
from streaming.store.lease import Holder, Lease, Process, holder
from streaming.store.memory import MemoryStore
from streaming.store.opening import open_catalogue, open_generation, with_generation
from streaming.store.tables import TABLES

ELSEWHERE = Process("elsewhere", 1, "another machine", 1)


@pytest.fixture
def settings() -> Settings:
    """An index of its own with an active generation, main, that has read 100 records."""
    given = [("store.url", f"memory:{uuid4().hex}", "test"), ("query.max_batch", "10", "test")]
    settings = load(overrides=given, environment={}).settings
    build(settings, "main", {"0": 60, "1": 40})
    return settings


def build(settings: Settings, name: str, offsets: dict[str, int], **other: int) -> Store:
    """What a query leaves behind in a generation, but for articles."""
    catalogue.register(open_catalogue(settings), name, len(name), activate=name == "main")
    store = open_generation(settings, name)
    store.ensure_tables(TABLES)
    frozen = stamp(settings) | {f"matching.{key}": value for key, value in other.items()}
    ownership.claim(store, frozen)
    publish_offsets(store, offsets)
    return store


def told(store: Store, source: str, lag: int | None) -> None:
    """What a query publishes of its progress."""
    document = orjson.dumps({"source": source, "lag_records": lag, "at_ms": 1})
    store.mutate("meta", [Mutation(b"progress", {b"latest": document})])


def held(store: Store, process: Process, seconds: float = 0.4) -> Lease:
    """A lease that nobody beats."""
    lease = Lease(store, seconds)
    lease._me = replace(lease._me, process=process)
    lease.acquire()
    return lease


def test_nothing_is_told_of_an_index_that_was_never_used() -> None:
    fresh = load(overrides=[("store.url", f"memory:{uuid4().hex}", "test")], environment={})
    assert generations.survey(fresh.settings) == []


def test_each_generation_tells_what_it_is_without_its_articles_being_read(
    settings: Settings,
) -> None:
    k2 = build(settings, "k2", {"0": 5}, k=2)
    told(k2, "file:log", 95)
    held(k2, ELSEWHERE)
    catalogue.register(open_catalogue(settings), "empty", 9, activate=False)
    k2_overview, main, empty = generations.survey(settings)
    assert (main.entry.name, main.active, main.differing) == ("main", True, [])
    assert (main.records, main.progress, main.holder) == (100, None, None)
    assert (k2_overview.entry.name, k2_overview.active) == ("k2", False)
    assert (k2_overview.records, k2_overview.differing) == (5, ["matching.k"])
    assert k2_overview.progress is not None
    assert k2_overview.progress["lag_records"] == 95
    assert k2_overview.holder is not None
    assert k2_overview.holder.process == ELSEWHERE
    assert (empty.entry.name, empty.differing, empty.records) == ("empty", None, 0)


def test_readers_follow_what_was_made_active(settings: Settings) -> None:
    build(settings, "k2", {"0": 60, "1": 41})
    assert generations.activate(settings, "k2") == "main"
    assert catalogue.read(open_catalogue(settings)).active == "k2"
    assert generations.activate(settings, "k2") == "k2"


def test_one_with_nothing_in_it_is_not_made_active(settings: Settings) -> None:
    catalogue.register(open_catalogue(settings), "k2", 1, activate=False)
    with pytest.raises(SettingsError, match=r"nothing in it yet.*--into k2"):
        generations.activate(settings, "k2")
    open_generation(settings, "k2").ensure_tables(TABLES)
    with pytest.raises(SettingsError, match="nothing in it yet"):
        generations.activate(settings, "k2", anyway=True)
    with pytest.raises(SettingsError, match="no generation 'k3'"):
        generations.activate(settings, "k3")
    assert catalogue.read(open_catalogue(settings)).active == "main"


def test_one_that_has_read_less_is_made_active_only_on_demand(settings: Settings) -> None:
    build(settings, "k2", {"0": 70, "1": 39})
    with pytest.raises(SettingsError, match=r"latest 1 records that main has.*--anyway"):
        generations.activate(settings, "k2")
    assert generations.activate(settings, "k2", anyway=True) == "main"


def test_what_a_running_query_is_about_to_read_is_not_held_against_it(settings: Settings) -> None:
    k2 = build(settings, "k2", {"0": 60, "1": 30})
    lease = held(k2, Process.this())
    generations.activate(settings, "k2")
    generations.activate(settings, "main")
    publish_offsets(open_generation(settings, "main"), {"1": 41})
    with pytest.raises(SettingsError, match="latest 11 records"):
        generations.activate(settings, "k2")
    lease.release()


def test_offsets_of_another_log_say_nothing(settings: Settings) -> None:
    k2 = build(settings, "k2", {"0": 1})
    told(k2, "file:other", 0)
    told(open_generation(settings, "main"), "file:log", 0)
    assert generations.records_behind(k2, open_generation(settings, "main")) is None
    generations.activate(settings, "k2")


def test_a_dropped_generation_leaves_nothing(settings: Settings) -> None:
    build(settings, "k2", {"0": 60})
    generations.drop(settings, "k2")
    assert list(catalogue.read(open_catalogue(settings)).entries) == ["main"]
    assert len(open_generation(settings, "k2").missing_tables(TABLES)) == len(TABLES)
    assert open_generation(settings, "main").missing_tables(TABLES) == []
    with pytest.raises(SettingsError, match="no generation 'k2'"):
        generations.drop(settings, "k2")


def test_the_active_one_is_not_dropped(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="is the active one"):
        generations.drop(settings, "main", anyway=True)
    assert open_generation(settings, "main").missing_tables(TABLES) == []


def test_one_in_use_is_not_dropped(settings: Settings) -> None:
    k2 = build(settings, "k2", {"0": 60})
    with LeaseKeeper(Lease(k2, 0.4), 0.4):
        with pytest.raises(SettingsError, match=r"in use by process \d+.*--anyway"):
            generations.drop(settings, "k2")
        with pytest.raises(LeaseHeld):
            generations.drop(settings, "k2", anyway=True)
        entry = catalogue.read(open_catalogue(settings)).entries["k2"]
        assert not entry.dropping
        assert k2.missing_tables(TABLES) == []
    generations.drop(settings, "k2")


def test_one_whose_query_is_silent_is_dropped_only_on_demand(settings: Settings) -> None:
    k2 = build(settings, "k2", {"0": 60})
    held(k2, ELSEWHERE)
    with pytest.raises(SettingsError, match="in use by process 1 on elsewhere"):
        generations.drop(settings, "k2")
    begin = time.monotonic()
    generations.drop(settings, "k2", anyway=True)
    assert time.monotonic() - begin >= 0.4, "nobody waited for a sign of life"
    assert "k2" not in catalogue.read(open_catalogue(settings)).entries


def test_a_query_of_a_process_that_is_gone_is_not_waited_for(settings: Settings) -> None:
    k2 = build(settings, "k2", {"0": 60})
    held(k2, replace(Process.this(), born=1), seconds=600)
    generations.drop(settings, "k2")


Broken = Callable[[MemoryStore, Sequence[TableSpec]], None]


@pytest.mark.parametrize("left", [0, 1, len(TABLES) - 2])
def test_a_drop_that_broke_off_is_finished(
    settings: Settings, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    k2 = build(settings, "k2", {"0": 60})
    whole: Broken = MemoryStore.drop_tables

    def part(store: MemoryStore, tables: Sequence[TableSpec]) -> None:
        whole(store, tables[left:])
        raise StoreUnavailable("the store went away")

    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "drop_tables", part)
        with pytest.raises(StoreUnavailable):
            generations.drop(settings, "k2")
    assert k2.missing_tables(TABLES)
    (entry,) = (each for each in generations.survey(settings) if each.entry.name == "k2")
    assert entry.entry.dropping
    for act in (generations.activate, generations.open_complete):
        with pytest.raises(SettingsError, match="being dropped"):
            act(settings, "k2")
    generations.drop(settings, "k2")
    assert len(k2.missing_tables(TABLES)) == len(TABLES)
    assert list(catalogue.read(open_catalogue(settings)).entries) == ["main"]


def test_no_query_can_take_the_index_over_while_its_tables_go(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    k2 = build(settings, "k2", {"0": 60})
    whole: Broken = MemoryStore.drop_tables
    holders = []

    def watched(store: MemoryStore, tables: Sequence[TableSpec]) -> None:
        whole(store, tables)
        holders.append(None if "meta" in k2.missing_tables(TABLES) else holder(k2))

    monkeypatch.setattr(MemoryStore, "drop_tables", watched)
    generations.drop(settings, "k2")
    first, *_ = holders
    assert first is not None
    assert first.process == Process.this()
    assert len(k2.missing_tables(TABLES)) == len(TABLES)


def test_a_drop_that_lost_its_answer_at_the_end_is_finished(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(settings, "k2", {"0": 60})

    def lost(*_: Any) -> None:
        raise StoreUnavailable("the store went away")

    with monkeypatch.context() as patched:
        patched.setattr(catalogue, "end_drop", lost)
        with pytest.raises(StoreUnavailable):
            generations.drop(settings, "k2")
    generations.drop(settings, "k2")
    assert list(catalogue.read(open_catalogue(settings)).entries) == ["main"]


def test_no_query_begins_on_a_generation_that_is_being_dropped(settings: Settings) -> None:
    from streaming.query.run import prepare  # noqa: PLC0415 - Spark

    build(settings, "k2", {"0": 60})
    catalogue.begin_drop(open_catalogue(settings), "k2")
    with pytest.raises(SettingsError, match="being dropped"):
        prepare(with_generation(settings, "k2"))


def test_the_first_generation_prepared_is_active_unless_it_is_built_aside() -> None:
    from streaming.query.run import prepare  # noqa: PLC0415 - as above

    url = [("store.url", f"memory:{uuid4().hex}", "test")]
    fresh = load(overrides=url, environment={}).settings
    with pytest.raises(SettingsError, match="generation main is the active one"):
        prepare(fresh, aside=True)
    prepare(with_generation(fresh, "k2"), aside=True)
    assert catalogue.read(open_catalogue(fresh)).active is None
    assert prepare(fresh).name == "main"
    assert catalogue.read(open_catalogue(fresh)).active == "main"
    other = fresh.model_copy(update={"matching": fresh.matching.model_copy(update={"visible": 5})})
    with pytest.raises(SettingsError, match=r"visible: 64 in the index, 5 now[^?]*--into NAME"):
        prepare(other)
    assert prepare(with_generation(other, "m5"), aside=True).name == "m5"


def test_a_lease_names_its_holder() -> None:
    assert str(Holder("o", 1, 1, 0, ELSEWHERE)).startswith("process 1 on elsewhere, since ")
