from hypothesis import given
from hypothesis import strategies as st

from streaming.position import Coordinates, at, decode, encode, split_entry, timestamp_ms

COORDINATES = st.builds(
    Coordinates,
    st.integers(-1, 2**62),
    st.text("abcXYZ019._-", min_size=1, max_size=12),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**63 - 1),
)


@given(COORDINATES, COORDINATES)
def test_bytes_sort_like_the_tuple(one: Coordinates, other: Coordinates) -> None:
    assert (encode(*one) < encode(*other)) == (one < other)
    assert (encode(*one) == encode(*other)) == (one == other)


@given(COORDINATES, st.text(max_size=20).filter(lambda text: "\0" not in text))
def test_nothing_is_lost(place: Coordinates, article: str) -> None:
    position = encode(*place)
    assert decode(position) == place
    assert timestamp_ms(position) == place.timestamp_ms
    assert split_entry(position + article.encode()) == (position, article.encode())


@given(COORDINATES, st.integers(-10, 2**62))
def test_a_bound_divides_positions_by_time(place: Coordinates, moment: int) -> None:
    assert (encode(*place) >= at(moment)) == (place.timestamp_ms >= moment)


def test_the_text_for_people_sorts_within_a_topic() -> None:
    early, late = Coordinates(1_000, "t", 3, 9), Coordinates(1_000, "t", 10, 1)
    assert early.sortable() == "1970-01-01T00:00:01.000Z/t/00003/00000000000000000009"
    assert early.sortable() < late.sortable()


@given(COORDINATES, COORDINATES)
def test_every_position_has_a_text_that_sorts_like_it(one: Coordinates, other: Coordinates) -> None:
    one, other = one._replace(topic="t"), other._replace(topic="t")
    if max(one.partition, other.partition) < 100_000:
        assert (one.sortable() < other.sortable()) == (one < other)
    assert one.sortable().endswith(f"/t/{one.partition:05d}/{one.offset:020d}")
