"""What a verdict says of one small world; the law is tested in `test_law`."""

from typing import Any

import orjson
import pytest

from streaming import exporting
from streaming.engine import judge as judge_module
from streaming.engine.events import by_article
from streaming.engine.judge import judge
from streaming.engine.put import put
from streaming.matching.rules import Rules
from streaming.store import articles, keys
from tests.engine.worlds import RULES, batch, deletion, event, index


def verdicts(store: object) -> dict[str, exporting.Line]:
    return {line["article_id"]: line for line in exporting.verdicts(store)}  # type: ignore[arg-type]


def test_a_copy_names_the_earliest_and_lists_the_rest() -> None:
    store = index()
    batch(store, [event("c", 30, 0b11), event("a", 10, 0), event("b", 20, 0b1111)])
    assert {name: line["duplicate_of"] for name, line in verdicts(store).items()} == {
        "a": None,
        "b": None,
        "c": "a",
    }
    assert verdicts(store)["c"]["matches"] == [
        ["a", "duplicate", 0.96875],
        ["b", "duplicate", 0.96875],
    ]
    assert verdicts(store)["c"]["distance"] == 2


def test_a_chain_has_one_root_though_its_ends_are_far_apart() -> None:
    store = index()
    batch(store, [event("a", 1, 0), event("b", 2, 0b111), event("c", 3, 0b111111)])
    assert [verdicts(store)[name]["root"] for name in "abc"] == ["a", "a", "a"]
    assert verdicts(store)["c"]["duplicate_of"] == "b"


def test_articles_without_a_fingerprint_match_nothing() -> None:
    store = index()
    batch(store, [event("a", 1, None), event("b", 2, None)])
    assert all(line["relation"] is None for line in verdicts(store).values())


def test_an_edit_keeps_the_place_of_the_original() -> None:
    store = index()
    batch(store, [event("a", 1, 7), event("b", 2, 0xFF00)])
    batch(store, [event("a", 3, 0xFF00)])
    assert verdicts(store)["b"]["duplicate_of"] == "a"
    assert verdicts(store)["a"]["duplicate_of"] is None


def test_a_deleted_original_hands_its_copies_on() -> None:
    store = index()
    batch(store, [event("a", 1), event("b", 2), event("c", 3)])
    announced = {item.article: item for item in batch(store, [deletion("a", 4)])}
    assert announced.keys() == {"a", "b", "c"}
    assert announced["a"].verdict is None
    assert announced["b"].changed
    assert verdicts(store).keys() == {"b", "c"}
    assert verdicts(store)["c"]["duplicate_of"] == "b"
    late = batch(store, [event("a", 0)])
    assert late[0].verdict is None, "an old event brought a deleted article back"


def test_only_the_earliest_are_visible_under_a_key() -> None:
    store = index()
    batch(store, [event(f"a{n}", n) for n in range(9)], Rules(verify_simhash=False, visible=3))
    assert [m[0] for m in verdicts(store)["a8"]["matches"]] == ["a0", "a1", "a2"]


def test_outside_the_window_nothing_is_seen() -> None:
    store, rules = index(), Rules(verify_simhash=False, window_ms=100)
    batch(store, [event("a", 0), event("b", 100), event("c", 101)], rules)
    found = verdicts(store)
    assert (found["b"]["duplicate_of"], found["c"]["duplicate_of"]) == ("a", "b")


def test_channels_are_worlds_of_their_own_if_asked_for() -> None:
    store = index()
    rules = Rules(verify_simhash=False, scope="channel")
    batch(store, [event("a", 1, channel="go"), event("b", 2, channel="php")], rules)
    assert verdicts(store)["b"]["duplicate_of"] is None


def test_only_the_latest_verdict_is_kept() -> None:
    store = index()
    for _ in range(5):
        batch(store, [event("a", 1), event("b", 2)])
    row = articles.read(store, ["b"])["b"]
    assert len(row.verdicts) == 1
    assert orjson.loads(row.verdict or b"")["duplicate_of"] == "a"


def test_exports_tell_what_is_known_of_every_article() -> None:
    store = index()
    batch(store, [event("a", 1, 0xAB), event("b", 2, None), deletion("c", 3)])
    batch(store, [deletion("a", 4)])
    known = {line["article_id"]: line for line in exporting.all_articles(store)}
    assert known.keys() == {"a", "b"}
    assert known["a"]["fingerprint"] == "00000000000000ab"
    assert (known["a"]["live"], known["b"]["live"]) == (False, True)
    assert known["a"]["events"] == 2
    assert known["a"]["first_seen"] < known["b"]["first_seen"]


@pytest.mark.parametrize("alone", [False, True])
def test_an_article_that_is_deleted_while_it_is_cited(
    monkeypatch: pytest.MonkeyPatch, *, alone: bool
) -> None:
    store = index()
    batch(store, [event("a", 1)])
    copy, gone = event("b", 2), deletion("a", 3)
    put(store, RULES, [copy], alone=False)
    cite = judge_module._cite

    def be_overtaken(*arguments: Any) -> None:
        monkeypatch.setattr(judge_module, "_cite", cite)
        put(store, RULES, [gone], alone=False)
        judge(store, RULES, by_article([gone]), keys.token(9), copy.position, alone=False)
        cite(*arguments)

    monkeypatch.setattr(judge_module, "_cite", be_overtaken)
    judge(store, RULES, by_article([copy]), keys.token(8), copy.position, alone=alone)
    # Only a lease makes it true that nobody else is there.
    assert verdicts(store)["b"]["duplicate_of"] == ("a" if alone else None)
