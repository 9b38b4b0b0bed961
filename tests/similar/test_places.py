import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streaming.position import encode
from streaming.similar.places import PLACE, Topics, same

positions = st.builds(
    encode,
    st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2),
    st.sampled_from(["a", "ab", "b", "b.c"]),
    st.integers(0, 2**32 - 1) | st.integers(0, 1),
    st.integers(0, 2**64 - 1) | st.integers(0, 1),
)


@given(st.lists(positions, min_size=1, max_size=6))
def test_places_are_positions_and_compare_like_them(some: list[bytes]) -> None:
    topics = Topics(["b"])
    places = topics.places(some)
    assert places.dtype == PLACE
    assert [topics.position(place) for place in places] == some
    assert np.array_equal(topics.places(some[:1]), places[:1])
    for number, position in enumerate(some):
        place = topics.place(position)
        assert same(places, np.resize(place, len(some))).tolist() == [p == position for p in some]
        assert topics.before(places, place).tolist() == [p < position for p in some]
        assert topics.after(places, place).tolist() == [p > position for p in some]
        assert places[number] == place
    order = np.lexsort(topics.keys(places))
    assert [some[number] for number in order] == sorted(some)


def test_topics_keep_their_numbers() -> None:
    topics = Topics([])
    first = topics.place(encode(0, "z", 0, 0))
    topics.place(encode(0, "a", 0, 0))
    assert topics.names == ["z", "a"]
    assert Topics(topics.names).position(first) == encode(0, "z", 0, 0)
