import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints.hashing import banded
from streaming.fingerprints.shingles import (
    CLAUSE_LENGTH,
    HEADLINE,
    MOST_KEYS,
    SEEDS,
    SHORT,
    bigrams,
    hashes,
    keys,
    title_keys,
)

WORDS = st.lists(st.sampled_from("甲乙丙丁戊己庚辛"), max_size=60)
NOTHING = hashes([])


def keys_of(words: list[str], clauses: list[str], length: int = SHORT) -> set[int]:
    grams = bigrams(hashes(words))
    return set(keys(hashes(clauses), grams, grams, length, NOTHING).tolist())


@given(
    st.lists(st.text(max_size=3), max_size=300),
    WORDS,
    st.lists(st.text(max_size=2), max_size=60),
    st.sampled_from([0, 49, 50, 74, 75, 139, 140, 5_000]),
    st.integers(0, 1),
)
def test_keys_are_the_smallest_clauses_bands_and_the_title(
    clauses: list[str], words: list[str], units: list[str], length: int, titles: int
) -> None:
    ordered, grams, pairs = hashes(clauses), bigrams(hashes(words)), bigrams(hashes(units))
    title = hashes(["title"] * titles)
    expected = set(sorted(set(ordered.tolist()))[: min(16, 8 + len(clauses) // 12)])
    expected |= set(sorted(set(ordered[:4].tolist()))[:3])
    of_words = (2, 3) if length >= 140 else (8, 2) if length >= 50 else (0, 2)
    of_units = 20 if length < 50 else 12 if length < 75 else 0
    if len(grams) and of_words[0]:
        expected |= set(banded(grams, *of_words, SEEDS).tolist())
    if len(pairs):
        expected |= set(banded(pairs, 20, 2, SEEDS)[:of_units].tolist())
    expected |= set(title_keys(title).tolist())
    assert keys(ordered, grams, pairs, length, title).tolist() == sorted(expected)


@given(WORDS, st.lists(st.text(), max_size=400), st.integers(0, 10_000), st.integers(0, 1))
def test_keys_are_few_ordered_and_distinct(
    words: list[str], clauses: list[str], length: int, titles: int
) -> None:
    title = hashes(["title"] * titles)
    grams = bigrams(hashes(words))
    found = keys(hashes(clauses), grams, grams, length + CLAUSE_LENGTH * len(clauses), title)
    assert list(found) == sorted(set(found))
    assert len(found) <= MOST_KEYS <= 32
    assert all(0 <= key < 2**64 for key in found)


def test_a_text_without_words_has_no_keys() -> None:
    assert not len(keys(NOTHING, NOTHING, NOTHING, 0, NOTHING))


def test_the_order_of_clauses_matters_to_the_beginning_only() -> None:
    clauses = [f"clause {n}" for n in range(8)]
    assert keys_of([], clauses) == keys_of([], clauses[::-1])


def test_an_excerpt_shares_a_clause_though_it_is_a_tenth() -> None:
    shared = 0
    for seed in range(100):
        clauses = [f"{seed} {n}" for n in range(80)]
        shared += not keys_of([], clauses).isdisjoint(keys_of([], clauses[:8]))
    assert shared >= 95


def test_bigrams_meet_where_every_clause_was_touched() -> None:
    rng = random.Random(1)
    shared = 0
    for _ in range(100):
        words = [str(rng.random()) for _ in range(60)]
        edited = [*words]
        edited[30] = "other"
        shared += not keys_of(words, []).isdisjoint(keys_of(edited, []))
    assert shared >= 90


@pytest.mark.parametrize("longer", [HEADLINE - 1, HEADLINE + 20])
def test_headlines_meet_though_one_word_differs(longer: int) -> None:
    rng = random.Random(2)
    shared = 0
    for _ in range(100):
        units = [str(rng.random()) for _ in range(16)]
        edited = [*units[:7], "other", "word", *units[9:]]
        one, other = (bigrams(hashes(each)) for each in (units, edited))
        found = [
            keys(NOTHING, NOTHING, grams, length, NOTHING)
            for grams, length in ((one, HEADLINE - 1), (other, longer))
        ]
        shared += not set(found[0]).isdisjoint(found[1])
    assert shared >= 98


def test_bigrams_know_the_order_of_words() -> None:
    one, other = bigrams(hashes(["a", "b"])), bigrams(hashes(["b", "a"]))
    assert one.dtype == np.uint64
    assert one[0] != other[0]
    assert len(bigrams(hashes(["a"]))) == 1


def test_a_title_is_no_clause() -> None:
    title = keys(NOTHING, NOTHING, NOTHING, 0, hashes(["words of a title"]))
    clause = keys(hashes(["words of a title"]), NOTHING, NOTHING, 0, NOTHING)
    assert len(title) == len(clause) == 1
    assert title != clause
