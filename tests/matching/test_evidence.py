import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints.shingles import SHORT
from streaming.matching.evidence import NO_TEXT, NOT_BRIEF, Brief, Pair, evidence, overlaps_of
from tests.matching import plainly

Hashes = np.ndarray[tuple[int, ...], np.dtype[np.uint64]]
NOTHING = np.empty(0, dtype=np.uint64)
NO_PAIRS = NOTHING.reshape(-1, 2)
HASHES = st.integers(0, 2**64 - 1)


def of(
    values: list[int],
    figures: list[tuple[int, int]] | None = None,
    names: tuple[list[int], list[int]] = ([], []),
) -> bytes:
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


# Few different values, so that lists have some in common, and some with equal halves.
HASH = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 30).map(lambda n: (n >> 1) << 32 | n))
HASH_LISTS = st.lists(HASH, max_size=40)
FORMS = st.lists(st.tuples(HASH, HASH), max_size=8)
WORDS = st.lists(st.tuples(HASH, st.integers(1, 255)), max_size=8)


def array(values: Sequence[int] | plainly.Pairs) -> Hashes:
    return np.array(values, dtype=np.uint64)


def check_kept(
    length: int,
    grams: Sequence[int],
    figures: plainly.Pairs,
    phrases: plainly.Pairs,
    names: tuple[Sequence[int], Sequence[int]],
    units: Sequence[int],
    words: plainly.Pairs,
) -> bytes:
    made = evidence(
        length,
        array(grams),
        array(figures).reshape(-1, 2),
        array(phrases).reshape(-1, 2),
        (array(names[0]), array(names[1])),
        Brief(array(units), array([word for word, _ in words]), [weight for _, weight in words]),
    )
    expected = plainly.kept(length, grams, figures, phrases, *names, units, words)
    assert plainly.decoded(made) == expected
    return made


def check_measures(one: bytes, other: bytes) -> None:
    expected = plainly.measures(one, other)
    overlaps = overlaps_of(one, [one, other, NO_TEXT, other])
    for pair in (Pair(one, other), *(Pair(one, other, overlap=overlaps[at][1]) for at in (1, 3))):
        assert {name: getattr(pair, name) for name in expected} == expected


CELLS = st.builds(
    check_kept,
    st.integers(0, 2**32 - 1),
    HASH_LISTS,
    FORMS,
    FORMS,
    st.tuples(HASH_LISTS, HASH_LISTS),
    HASH_LISTS,
    WORDS,
)


@given(st.one_of(CELLS, st.just(NO_TEXT)), CELLS)
def test_what_is_kept_and_measured_is_what_sets_have(one: bytes, other: bytes) -> None:
    check_measures(one, other)
    check_measures(other, one)
    check_measures(other, other)


def test_long_texts_are_kept_and_measured_alike() -> None:
    rng = random.Random(1)
    many = [rng.getrandbits(64) for _ in range(17_000)]
    cells = [NO_TEXT]
    for grams, named in ((700, 600), (5_000, 512), (9_000, 513), (17_000, 0)):
        start = rng.randrange(500)
        chosen = many[start : start + grams]
        figures = [(gram, rng.randrange(400) << 32) for gram in rng.sample(chosen, 700)]
        names = many[start : start + named], many[start + 400 : start + 560]
        cells.append(check_kept(grams, chosen, figures, figures[:90], names, [], []))
    for one in cells:
        for other in cells:
            check_measures(one, other)


def test_hashes_that_begin_alike_are_kept_in_order_too() -> None:
    alike = [(99 - number) << 32 | 5 for number in range(60)]
    check_kept(60, [*alike, 1 << 63, *alike], [], [], (alike, alike), [], [])


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
    def headline(words: dict[int, int]) -> bytes:
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
    assert len(plainly.decoded(long).grams) <= 4096
    assert plainly.decoded(long).level > 0
    assert Pair(long, short).overlap == 1
    other = of(rng.integers(0, 2**32, 1_000, dtype=np.uint64).tolist())
    assert Pair(long, other).overlap < 0.01


def test_no_text_is_like_nothing() -> None:
    assert Pair(NO_TEXT, NO_TEXT).overlap == 0
    assert Pair(NO_TEXT, of([1, 2])).overlap == 0
