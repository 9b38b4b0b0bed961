import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from streaming import deadletters, exporting
from streaming.deadletters import DeadLetter, Replayed
from streaming.errors import SettingsError
from streaming.position import encode
from streaming.reasons import Reason
from tests.engine.worlds import index

LETTERS = st.builds(
    DeadLetter,
    position=st.builds(
        encode, st.integers(0, 2**42), st.sampled_from("ab"), st.integers(0, 9), st.integers(0, 99)
    ),
    stage=st.just("enrich"),
    reason=st.sampled_from([reason.value for reason in Reason]),
    detail=st.text(max_size=20),
    key=st.none() | st.binary(max_size=9),
    value=st.none() | st.binary(max_size=40),
    headers=st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5))).map(tuple),
)


@given(st.lists(LETTERS, unique_by=lambda letter: letter.row))
def test_every_byte_comes_back_in_the_order_of_the_log(letters: list[DeadLetter]) -> None:
    store = index()
    deadletters.write(store, letters)
    deadletters.write(store, letters[:1])
    ordered = sorted(letters, key=lambda letter: letter.row)
    assert list(deadletters.scan(store)) == ordered
    assert list(deadletters.read(store, [letter.row for letter in ordered])) == ordered
    for letter in letters:
        assert list(schemas.violations("dead-letter", letter.fields())) == []


@given(LETTERS)
def test_its_message_says_where_and_why(letter: DeadLetter) -> None:
    headers = letter.message_headers()
    own = dict(headers[len(letter.headers) :])
    assert own["leitong.error.reason"] == letter.reason.encode()
    assert own["leitong.error.offset"].isdigit()
    assert [name for name, _ in headers[: len(letter.headers)]] == [n for n, _ in letter.headers]


def letter(topic: str = "t", offset: int = 0, moment: int = 5, stage: str = "enrich") -> DeadLetter:
    position = encode(moment, topic, 3, offset)
    return DeadLetter(position, stage, "not_json", "value: x", b"k", b"{", ())


def test_a_mark_is_read_beside_its_letter_and_changes_no_export() -> None:
    store = index()
    letters = [letter(offset=number) for number in range(3)]
    deadletters.write(store, letters)
    before = list(exporting.dead_letters(store))
    deadletters.mark(store, [letters[1].row], Replayed("file:x", 1))
    deadletters.mark(store, [letters[1].row], Replayed("file:log", 7))
    # The batch comes again.
    deadletters.write(store, letters)
    found = list(deadletters.entries(store))
    assert [entry.letter for entry in found] == letters
    assert [entry.replayed for entry in found] == [None, Replayed("file:log", 7), None]
    assert list(exporting.dead_letters(store)) == before


def test_a_mark_that_outlived_its_letter_is_none() -> None:
    store = index()
    deadletters.mark(store, [letter().row], Replayed("file:log", 7))
    assert list(deadletters.entries(store)) == []
    assert list(deadletters.read(store, [letter().row])) == []


def test_a_letter_is_found_by_its_place() -> None:
    store = index()
    letters = [letter(offset=number) for number in (4, 44)]
    deadletters.write(store, letters)
    for place in ("t/3/44", "3/44", letters[1].place):
        assert [entry.letter for entry in deadletters.find(store, place)] == letters[1:]
    # The topic was made anew, and another stage refused the same record.
    again = [letter(offset=44, moment=9), letter(offset=44, moment=9, stage="later")]
    deadletters.write(store, again)
    assert [entry.letter for entry in deadletters.find(store, "3/44")] == letters[1:] + again


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("3/5", "no dead letter of that record"),
        ("u/3/4", "no dead letter of that record"),
        ("t/03/4/", "is no place"),
        ("4", "is no place"),
        ("t/x/4", "is no place"),
        ("t/3/\u0664", "is no place"),
        ("t/3/" + "9" * 5_000, "is no place"),
        ("", "is no place"),
    ],
)
def test_a_place_without_letter_is_told(place: str, told: str) -> None:
    store = index()
    deadletters.write(store, [letter(offset=4)])
    with pytest.raises(SettingsError, match=told):
        deadletters.find(store, place)


def test_a_place_needs_its_topic_where_there_are_several() -> None:
    store = index()
    deadletters.write(store, [letter("t", 4), letter("u", 5)])
    with pytest.raises(SettingsError, match="write one of t/3/4, u/3/4"):
        deadletters.find(store, "3/4")
    assert len(deadletters.find(store, "t/3/4")) == 1
