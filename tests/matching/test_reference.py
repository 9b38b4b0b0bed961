"""The reference is the definition; here it is held against worlds judged by hand."""

from functools import partial

from streaming.matching.content import Content
from streaming.matching.reference import reference
from streaming.matching.rules import Rules
from streaming.position import Position, encode

rules = partial(Rules, verify_simhash=False)


def event(moment: int, name: str, value: int | None) -> tuple[Position, str, Content | None]:
    content = None if value is None else Content("go", "", value)
    return encode(moment, "t", 0, moment), name, content


def duplicates(log: list[tuple[Position, str, Content | None]], rules: Rules) -> dict[str, object]:
    return {name: row.verdict.duplicate_of for name, row in reference(log, rules).items()}


def test_order_and_repetition_of_events_do_not_matter() -> None:
    log = [event(1, "a", 7), event(2, "b", 7), event(3, "a", 0xFF00), event(4, "c", 0xFF01)]
    wanted = {"a": None, "b": None, "c": "a"}
    assert duplicates(log, rules()) == wanted
    assert duplicates([*reversed(log), *log], rules()) == wanted


def test_a_tombstone_hides_an_article_and_an_old_event_does_not_bring_it_back() -> None:
    log = [event(5, "a", None), event(2, "b", 7), event(1, "a", 7), event(3, "c", 7)]
    assert duplicates(log, rules()) == {"b": None, "c": "b"}


def test_a_deleted_article_keeps_its_slot() -> None:
    log = [event(1, "a", 7), event(2, "b", 7), event(3, "c", 7), event(9, "a", None)]
    assert duplicates(log, rules(visible=1)) == {"b": None, "c": None}
    assert duplicates(log, rules(visible=2)) == {"b": None, "c": "b"}


def test_the_window_reaches_back_from_the_first_appearance() -> None:
    log = [event(0, "a", 7), event(10, "b", 7), event(11, "c", 7)]
    assert duplicates(log, rules(window_ms=10)) == {
        "a": None,
        "b": "a",
        "c": "b",
    }
    assert duplicates(log, rules(window_ms=9)) == {
        "a": None,
        "b": None,
        "c": "b",
    }
