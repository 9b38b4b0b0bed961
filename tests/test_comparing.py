"""Two exports side by side."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streaming.comparing import Pair, Tally, pairs
from streaming.store import keys

LINES = st.dictionaries(
    st.text("abc1", min_size=1, max_size=3),
    st.fixed_dictionaries(
        {"duplicate_of": st.sampled_from([None, "x"]), "matches": st.sampled_from([[], [1]])}
    ),
    max_size=12,
)


def exported(verdicts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"article_id": name, **verdicts[name]} for name in sorted(verdicts, key=keys.article)]


@given(LINES, LINES)
def test_every_article_is_met_once_with_both_sides(
    a: dict[str, dict[str, Any]], b: dict[str, dict[str, Any]]
) -> None:
    tally, met = Tally(), list(pairs(exported(a), exported(b)))
    for pair in met:
        tally.add(pair)
    assert [pair.article for pair in met] == sorted(a.keys() | b.keys(), key=keys.article)
    for pair in met:
        for side, verdicts in ((pair.a, a), (pair.b, b)):
            assert (side is None) == (pair.article not in verdicts)
            assert side is None or side == {"article_id": pair.article, **verdicts[pair.article]}
    both = a.keys() & b.keys()
    assert tally.equal == sum(a[name] == b[name] for name in both)
    assert tally.differing == sum(a[name] != b[name] for name in both)
    assert (tally.only_a, tally.only_b) == (len(a.keys() - both), len(b.keys() - both))
    assert tally.articles == len(met)
    for field in ("duplicate_of", "matches"):
        assert tally.fields[field] == sum(a[name][field] != b[name][field] for name in both)


def test_a_field_that_one_side_lacks_is_a_difference() -> None:
    pair = Pair("x", {"article_id": "x", "root": "x"}, {"article_id": "x", "tier": "simhash"})
    assert not pair.same
    assert pair.differing == ["root", "tier"]
    assert pair.fields()["differing"] == ["root", "tier"]
    assert Pair("x", None, {"article_id": "x"}).differing == []
