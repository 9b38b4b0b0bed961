import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.matching.content import Content, Key, Tier, packed
from streaming.matching.rules import Rules

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=256)
CONTENTS = st.builds(
    Content,
    NAMES,
    NAMES,
    st.none() | st.integers(0, 2**64 - 1),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.lists(st.integers(0, 2**64 - 1), max_size=32, unique=True).map(packed),
    st.binary(max_size=64),
)


@given(CONTENTS, CONTENTS)
def test_contents_survive_their_cell_and_equal_ones_have_equal_cells(
    one: Content, other: Content
) -> None:
    assert Content.decode(one.encode()) == one
    assert (one.encode() == other.encode()) == (one == other)


def shingle(value: int) -> Key:
    return Key("", Tier.SHINGLE, value)


RULES = st.builds(Rules, shingles=st.booleans(), scope=st.sampled_from(["newsroom", "channel"]))


@given(CONTENTS, RULES, st.integers(0, 8 * 32))
def test_a_content_carries_its_keys_and_no_others(content: Content, rules: Rules, at: int) -> None:
    every = content.keys(Rules(scope="channel")) | content.keys(Rules())
    drawn = shingle(int.from_bytes(content.shingles[at : at + 8]))
    for key in (*every, drawn, Key("", Tier.SIMHASH, 0)):
        assert content.carries(key, rules) == (key in content.keys(rules))


def test_a_value_that_stands_across_two_others_is_found_where_it_is_one() -> None:
    first, second, across = 0x05, 0x05050505_05050505, 0x05_05050505
    content = Content("go", "", None, shingles=packed([first, second]))
    assert content.shingles.find(second.to_bytes(8)) == 7
    assert across.to_bytes(8) in content.shingles
    held = {value for value in (first, second, across) if content.carries(shingle(value), Rules())}
    assert held == {first, second}


def test_a_cell_of_another_version_is_refused() -> None:
    cell = Content("go", "", 1).encode()
    with pytest.raises(ValueError, match="version 9, this program reads 3"):
        Content.decode(b"\x09" + cell[1:])


def test_keys_are_of_the_newsroom_or_of_the_channel() -> None:
    content = Content("go", "", 5)
    assert content.keys(Rules()) == {Key("", Tier.SIMHASH, 5)}
    assert content.keys(Rules(scope="channel")) == {Key("go", Tier.SIMHASH, 5)}
    assert Content("go", "", None).keys(Rules()) == frozenset()


def test_shingles_are_keys_unless_they_are_switched_off() -> None:
    content = Content("go", "", None, shingles=packed([7, 3]))
    assert content.keys(Rules()) == {Key("", Tier.SHINGLE, 3), Key("", Tier.SHINGLE, 7)}
    assert content.keys(Rules(shingles=False)) == frozenset()


@pytest.mark.parametrize("wrong", [{"k": 4}, {"visible": 0}, {"window_ms": -1}, {"k": -1}])
def test_rules_that_cannot_hold_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"bits|negative or empty"):
        Rules(**wrong)  # type: ignore[arg-type]
