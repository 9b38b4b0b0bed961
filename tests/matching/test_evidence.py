import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints.shingles import SHORT
from streaming.matching.evidence import NO_TEXT, NOT_BRIEF, Brief, Evidence, Pair, evidence

Hashes = np.ndarray[tuple[int, ...], np.dtype[np.uint64]]
NOTHING = np.empty(0, dtype=np.uint64)
NO_PAIRS = NOTHING.reshape(-1, 2)
HASHES = st.integers(0, 2**64 - 1)


def of(
    values: list[int],
    figures: list[tuple[int, int]] | None = None,
    names: tuple[list[int], list[int]] = ([], []),
) -> Evidence:
    """Evidence whose 32-bit hashes are these values, one ideograph for each.

    A brief text has the same values as bigrams of characters, and as words of weight 1.
    ``names`` are rare words and subjects.
    """
    pairs = np.array(figures or [], dtype=np.uint64).reshape(-1, 2) << np.uint64(32)
    grams = np.array([*values, *(raw for raw, _ in figures or [])], dtype=np.uint64)
    hashes = grams << np.uint64(32)
    brief = Brief(hashes, hashes, [1] * len(hashes)) if len(grams) < SHORT else NOT_BRIEF
    rare, subjects = (np.array(each, dtype=np.uint64) << np.uint64(32) for each in names)
    return evidence(len(grams), hashes, pairs, NO_PAIRS, (rare, subjects), brief)


PAIRS = st.lists(st.tuples(HASHES, HASHES), max_size=8)


@given(st.lists(HASHES, max_size=50), PAIRS, PAIRS, st.lists(HASHES, max_size=8), st.data())
def test_evidence_survives_its_bytes(
    grams: list[int],
    figures: list[tuple[int, int]],
    phrases: list[tuple[int, int]],
    words: list[int],
    data: st.DataObject,
) -> None:
    def forms(pairs: list[tuple[int, int]]) -> Hashes:
        return np.array(pairs, dtype=np.uint64).reshape(-1, 2)

    weight = st.integers(1, 255)
    weights = data.draw(st.lists(weight, min_size=len(words), max_size=len(words)))
    hashes = np.array(grams, dtype=np.uint64)
    brief = Brief(hashes, np.array(words, dtype=np.uint64), weights)
    made = evidence(9, hashes, forms(figures), forms(phrases), (hashes, hashes[:3]), brief)
    read = Evidence.decode(made.encode())
    assert read.encode() == made.encode()
    assert (read.length, read.level) == (9, 0)
    for name in ("grams", "figures", "phrases", "names", "subjects", "units", "words"):
        assert getattr(read, name).tolist() == getattr(made, name).tolist()


SETS = st.sets(st.integers(0, 40), max_size=30)


@given(SETS, SETS)
def test_overlap_is_that_of_sets_whichever_comes_first(one: set[int], other: set[int]) -> None:
    mine, theirs = of(sorted(one)), of(sorted(other))
    forth, back = Pair(mine, theirs), Pair(theirs, mine)
    assert (forth.shorter, forth.longer) == tuple(sorted((len(one), len(other))))
    assert (forth.shorter, forth.longer) == (back.shorter, back.longer)
    assert forth.overlap == back.overlap
    shorter, longer = sorted((one, other), key=len)
    if len(one) != len(other):
        assert forth.overlap == len(shorter & longer) / max(1, len(shorter))


def test_what_a_text_repeats_does_not_make_it_longer() -> None:
    report = of(list(range(200)))
    gallery = of(list(range(50)) * 6)
    found = Pair(gallery, report)
    assert found.first_is_shorter
    assert (found.shorter, found.longer, found.size_ratio) == (300, 200, 0.25)


def test_what_differs_in_figures_only_is_counted() -> None:
    notice = of([*range(8)], [(101, 900), (102, 901)])
    again = of([*range(8)], [(103, 900), (102, 901)])
    found = Pair(notice, again)
    assert found.overlap == 0.9
    assert found.refigured == 0.1
    assert found.figures == 0.5


def test_each_figure_has_one_counterpart_at_most() -> None:
    report = of([*range(6)], [(101, 900), (102, 900), (103, 900)])
    copy = of([*range(6), 50], [(101, 900), (102, 900)])
    other = of([*range(6)], [(101, 900), (102, 900), (104, 900)])
    assert Pair(report, copy).refigured == 0
    assert Pair(report, other).refigured == pytest.approx(1 / 9)


@given(SETS, SETS)
def test_likeness_is_symmetric_and_one_for_the_same_headline_only(
    one: set[int], other: set[int]
) -> None:
    mine, theirs = of(sorted(one)), of(sorted(other))
    likeness = Pair(mine, theirs).likeness
    assert likeness == Pair(theirs, mine).likeness
    assert (likeness == 1) == (one == other and bool(one))
    assert (likeness == 0) == one.isdisjoint(other)


def test_a_weighty_word_counts_more_than_others() -> None:
    def headline(words: dict[int, int]) -> Evidence:
        hashes = np.array([*words], dtype=np.uint64) << np.uint64(32)
        brief = Brief(hashes, hashes, [*words.values()])
        return evidence(8, hashes, NO_PAIRS, NO_PAIRS, (NOTHING, NOTHING), brief)

    one = headline({1: 9, 2: 3, 3: 3, 4: 3})
    assert Pair(one, headline({1: 9, 2: 3, 3: 3, 5: 3})).likeness > 0.75
    assert Pair(one, headline({6: 9, 2: 3, 3: 3, 4: 3})).likeness < 0.75


def test_two_texts_are_strange_if_each_is_about_something_else() -> None:
    one = of([1], names=([10, 11, 12], [10, 11]))
    assert Pair(one, of([1], names=([10, 20, 21], [20, 21]))).strange == 0.5
    assert Pair(one, of([1], names=([20], [20]))).strange == 1
    assert Pair(one, of([1], names=([12], [12]))).strange == 0
    assert Pair(one, of([1])).strange == 0
    assert Pair(one, of([1])).half_strange == 1


def test_a_name_may_have_been_cut_from_the_list_of_a_long_text() -> None:
    names = list(range(600))
    assert Pair(of([1], names=(names, [1])), of([1], names=([599], [599]))).strange == 0
    other = [*range(1, 1200, 2)]
    assert Pair(of([1], names=(other, [1])), of([1], names=([2], [2]))).strange == 1


def test_a_long_text_is_sampled_and_compared_with_a_short_one() -> None:
    rng = np.random.default_rng(1)
    words = rng.integers(0, 2**32, 20_000, dtype=np.uint64)
    long, short = of(words.tolist()), of(words[:1_000].tolist())
    assert len(long.grams) <= 4096
    assert long.level > 0
    assert Pair(long, short).overlap == 1
    other = of(rng.integers(0, 2**32, 1_000, dtype=np.uint64).tolist())
    assert Pair(long, other).overlap < 0.01


def test_no_text_is_like_nothing() -> None:
    assert Pair(NO_TEXT, NO_TEXT).overlap == 0
    assert Pair(NO_TEXT, of([1, 2])).overlap == 0
