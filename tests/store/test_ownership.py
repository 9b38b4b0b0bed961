from concurrent.futures import ThreadPoolExecutor

import pytest

from streaming.errors import SettingsError
from streaming.position import encode
from streaming.store import ownership
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES


@pytest.fixture
def store(request: pytest.FixtureRequest) -> MemoryStore:
    fresh = MemoryStore(request.node.nodeid)
    fresh.ensure_tables(TABLES)
    return fresh


def test_tokens_grow_and_are_never_given_twice(store: MemoryStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: ownership.next_token(store), range(200)))
    assert len(set(taken)) == 200
    assert ownership.next_token(store) > max(taken)


def test_the_mark_never_goes_down(store: MemoryStore) -> None:
    assert ownership.enter(store, None).found is None
    high, low = encode(9, "t", 0, 0), encode(8, "t", 0, 0)
    for position in (low, high, None, low):
        ownership.enter(store, position)
    assert ownership.enter(store, None).found == high


def test_an_attempt_tells_its_own_mark_from_that_of_one_beside_it(store: MemoryStore) -> None:
    early, late, latest = (encode(moment, "t", 0, 0) for moment in (1, 2, 3))
    ownership.enter(store, early)
    mine = ownership.enter(store, latest)
    assert ownership.mark_beside(store, mine) == early
    other = ownership.enter(store, late)
    assert ownership.mark_beside(store, mine) == latest, "the other one took over what it found"
    assert ownership.mark_beside(store, other) == latest
    assert len(store.rows(ownership.META, [b"marks"])[b"marks"]) == 1, "old marks are kept"


def test_another_stamp_is_refused_with_every_difference(store: MemoryStore) -> None:
    stamp = {"matching.k": 3, "text.jieba": "0.42.1"}
    ownership.claim(store, stamp)
    ownership.claim(store, dict(reversed(stamp.items())))
    with pytest.raises(SettingsError) as refused:
        ownership.claim(store, {"matching.k": 2, "text.jieba": "0.42.1", "text.hmm": True})
    assert "matching.k: 3 in the index, 2 now" in str(refused.value)
    assert "text.hmm: nothing in the index, true now" in str(refused.value)
    assert "jieba" not in str(refused.value)
    assert ownership.read_stamp(store) == stamp


def test_a_reader_is_refused_by_another_stamp_and_leaves_none(store: MemoryStore) -> None:
    with pytest.raises(SettingsError, match="nothing in the index yet"):
        ownership.confirm(store, {"matching.k": 3})
    assert ownership.read_stamp(store) is None
    ownership.claim(store, {"matching.k": 3, "text.lexicons": [1]})
    ownership.confirm(store, {"text.lexicons": (1,), "matching.k": 3})
    with pytest.raises(SettingsError, match=r"matching\.k: 3 in the index, 2 now"):
        ownership.confirm(store, {"matching.k": 2, "text.lexicons": [1]})


def test_the_latest_position_is_that_of_any_attempt(store: MemoryStore) -> None:
    assert ownership.latest(store) is None
    high, low = encode(9, "t", 0, 0), encode(8, "t", 0, 0)
    ownership.enter(store, high)
    ownership.enter(store, low)
    assert ownership.latest(store) == high
