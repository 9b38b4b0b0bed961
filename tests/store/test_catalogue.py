"""The catalogue of generations, on every backend where it can differ."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streaming.errors import SettingsError
from streaming.settings import Settings, load
from streaming.store import generations
from streaming.store.contract import Store
from streaming.store.generations import Catalogue, Generation
from streaming.store.memory import MemoryStore
from streaming.store.opening import open_catalogue, open_index, resolved, with_generation
from streaming.store.tables import CATALOGUE, TABLES


@pytest.fixture
def catalogue(store: Store) -> Iterator[Store]:
    """No catalogue yet, in each backend."""
    yield store
    store.drop_tables([CATALOGUE])


@pytest.fixture
def memory(request: pytest.FixtureRequest) -> MemoryStore:
    return MemoryStore(request.node.nodeid)


def test_a_generation_is_entered_once_activated_and_dropped(catalogue: Store) -> None:
    assert generations.read(catalogue) == Catalogue()
    main = generations.register(catalogue, "main", 5, activate=True)
    k2 = generations.register(catalogue, "k2", 7, activate=True)
    assert generations.register(catalogue, "main", 9, activate=True) == main
    known = generations.read(catalogue)
    assert (known.active, known.followed) == ("main", "main")
    assert known.entries == {"main": main, "k2": k2}
    assert (main.created_ms, k2.created_ms) == (5, 7)

    with pytest.raises(SettingsError, match=r"main is the active one.*generations activate"):
        generations.begin_drop(catalogue, "main")
    assert generations.activate(catalogue, "k2") == "main"
    generations.begin_drop(catalogue, "main")
    generations.begin_drop(catalogue, "main")
    with pytest.raises(SettingsError, match="being dropped"):
        generations.activate(catalogue, "main")
    with pytest.raises(SettingsError, match=r"being dropped.*another name"):
        generations.register(catalogue, "main", 11, activate=False)
    generations.end_drop(catalogue, "main")
    generations.end_drop(catalogue, "main")
    assert generations.read(catalogue) == Catalogue("k2", {"k2": k2})

    again = generations.register(catalogue, "main", 11, activate=False)
    assert again.created_ms == 11
    assert again.identity != main.identity


def test_without_an_active_one_the_first_is_meant(memory: MemoryStore) -> None:
    assert Catalogue().followed == "main"
    entry = generations.register(memory, "k2", 1, activate=False)
    assert generations.read(memory) == Catalogue(None, {"k2": entry})
    assert generations.read(memory).followed == "main"
    generations.register(memory, "k3", 1, activate=True)
    assert generations.read(memory).active == "k3"


def test_the_one_that_is_meant_is_not_dropped_before_it_is_active(memory: MemoryStore) -> None:
    generations.register(memory, "main", 1, activate=False)
    with pytest.raises(SettingsError, match="readers follow it"):
        generations.begin_drop(memory, "main")


def test_a_name_that_is_not_there_is_answered_with_those_that_are(memory: MemoryStore) -> None:
    memory.ensure_tables([CATALOGUE])
    with pytest.raises(SettingsError, match=r"'k9' .there are: none yet"):
        generations.activate(memory, "k9")
    for name in ("k2", "main"):
        generations.register(memory, name, 1, activate=True)
    with pytest.raises(SettingsError, match=r"'k9' .there are: k2, main.*--into k9"):
        generations.begin_drop(memory, "k9")


def test_a_new_one_is_not_taken_for_the_one_that_was_dropped(memory: MemoryStore) -> None:
    generations.register(memory, "main", 1, activate=True)
    fresh = generations.register(memory, "k2", 1, activate=False)
    generations.end_drop(memory, "k2")
    assert generations.read(memory).entries["k2"] == fresh


def test_many_at_once_lose_no_entry(memory: MemoryStore) -> None:
    names = [f"g{number}" for number in range(40)]

    def enter(name: str) -> Generation:
        return generations.register(memory, name, 1, activate=True)

    with ThreadPoolExecutor(8) as pool:
        entered = list(pool.map(enter, names + names))
    known = generations.read(memory)
    assert sorted(known.entries) == sorted(names)
    assert known.active in names
    assert entered[:40] == entered[40:]


def test_either_a_drop_or_an_activation_wins(memory: MemoryStore) -> None:
    generations.register(memory, "main", 1, activate=True)

    def said(act: Callable[[Store, str], object]) -> bool:
        try:
            act(memory, "k2")
        except SettingsError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for _ in range(50):
            generations.register(memory, "k2", 1, activate=False)
            won = list(pool.map(said, (generations.activate, generations.begin_drop)))
            assert sum(won) == 1
            generations.activate(memory, "main")
            generations.begin_drop(memory, "k2")
            generations.end_drop(memory, "k2")


def test_an_index_without_a_configured_generation_is_the_active_one(tmp_path: Path) -> None:
    overrides = [("store.url", f"sqlite:{tmp_path}/i.db", "test")]
    settings = load(overrides=overrides, environment={}).settings
    assert settings.store.generation is None
    assert resolved(settings).store.generation == "main"
    open_index(settings).ensure_tables(TABLES)
    assert open_index(with_generation(settings, "main")).missing_tables(TABLES) == []
    generations.register(open_catalogue(settings), "k2", 1, activate=True)
    assert resolved(settings).store.generation == "k2"
    assert len(open_index(settings).missing_tables(TABLES)) == len(TABLES)
    fixed = with_generation(settings, "main")
    assert resolved(fixed) is fixed
    assert open_index(fixed).missing_tables(TABLES) == []


@pytest.mark.parametrize("name", ["K2", "2k", "a-b", "a_b", "", "a" * 33])
def test_a_name_that_would_not_do_for_tables_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"store\.generation"):
        load(overrides=[("store.generation", name, "test")], environment={})
    assert Settings().store.generation is None
