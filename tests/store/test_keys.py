from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streaming.matching.content import Key, Tier
from streaming.store import keys

IDS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(IDS)
def test_an_article_id_survives_its_key(name: str) -> None:
    assert keys.article_of(keys.article(name)) == name


@given(IDS, IDS, IDS)
def test_citations_are_scanned_by_what_they_cite(cited: str, citing: str, other: str) -> None:
    prefix = keys.citation(cited)
    stop = keys.after(prefix)
    row = keys.citation(cited, citing)
    assert row >= prefix
    assert stop is None or row < stop
    assert keys.citing_of(row) == citing
    inside = prefix <= keys.citation(other, citing) and (
        stop is None or keys.citation(other, citing) < stop
    )
    assert inside == (other == cited)


@given(IDS, IDS, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_no_head_is_the_prefix_of_another(one: str, other: str, a: int, b: int) -> None:
    first, second = Key(one, Tier.SIMHASH, a), Key(other, Tier.SIMHASH, b)
    assert keys.head(second).startswith(keys.head(first)) == (first == second)


def test_salts_are_spread_evenly() -> None:
    salts = Counter(keys.article(f"sogouc/C{n:06d}/{n % 1990}")[0] // 4 for n in range(64_000))
    assert len(salts) == 64
    assert max(salts.values()) < 1.15 * 1_000


def test_the_key_after_a_prefix_is_after_all_it_begins() -> None:
    assert keys.after(b"a\xff") == b"b"
    assert keys.after(b"\xff") is None
