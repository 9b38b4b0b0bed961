from hypothesis import given
from hypothesis import strategies as st

import schemas
from streaming import deadletters
from streaming.deadletters import DeadLetter
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
