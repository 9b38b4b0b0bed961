import time

import pytest

from streaming.store.rotation import Rotation


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def taken(servers: Rotation[str], count: int) -> str:
    return "".join(servers.take() for _ in range(count))


def test_servers_are_taken_in_turn_from_any_of_them_on() -> None:
    assert taken(Rotation("abc"), 7) in {"abcabca", "bcabcab", "cabcabc"}
    assert {Rotation("abc").take() for _ in range(200)} == set("abc")
    assert taken(Rotation("a"), 3) == "aaa"


def test_one_that_failed_rests_ever_longer_until_it_works(clock: list[float]) -> None:
    servers = Rotation("ab")
    rests = []
    for _ in range(8):
        servers.failed("a")
        began = clock[0]
        while "a" not in taken(servers, 2):
            clock[0] += 0.5
        rests.append(clock[0] - began)
    assert rests == [2, 4, 8, 16, 32, 60, 60, 60]
    servers.worked("a")
    servers.failed("a")
    assert taken(servers, 4) == "bbbb"
    clock[0] += 2
    assert set(taken(servers, 4)) == {"a", "b"}


def test_if_all_failed_each_is_asked_all_the_same(clock: list[float]) -> None:
    assert clock == [100.0]
    servers = Rotation("ab")
    servers.failed("a")
    servers.failed("b")
    assert set(taken(servers, 4)) == {"a", "b"}
