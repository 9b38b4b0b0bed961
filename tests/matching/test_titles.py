import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.matching.titles import ONE, score_pair, weigh

WORDS = ["w", "x", "y", "z", "14", "15", "第三季"]
SETS = st.sets(st.sampled_from(WORDS), min_size=1)
WEIGHTS = st.fixed_dictionaries({word: st.integers(1, 500_000) for word in WORDS})
EVEN = dict.fromkeys([*WORDS, "iphone", "手机"], 1_000)


@given(SETS, SETS, WEIGHTS)
def test_a_score_is_symmetric_and_no_share_is_larger_than_all(
    a: set[str], b: set[str], weights: dict[str, int]
) -> None:
    assert 0 <= score_pair(a, b, weights) == score_pair(b, a, weights) <= ONE


@given(SETS, SETS, WEIGHTS)
def test_equal_titles_score_one_and_titles_without_a_common_word_zero(
    a: set[str], b: set[str], weights: dict[str, int]
) -> None:
    assert score_pair(a, a, weights) == ONE
    if not a & b:
        assert score_pair(a, b, weights) == 0


@given(SETS, SETS, WEIGHTS)
def test_a_score_is_no_higher_than_the_cosine(
    a: set[str], b: set[str], weights: dict[str, int]
) -> None:
    norms = [sum(weights[word] for word in title) for title in (a, b)]
    cosine = sum(weights[word] for word in a & b) / (norms[0] * norms[1]) ** 0.5
    assert score_pair(a, b, weights) <= cosine * ONE + 1


def test_a_title_inside_a_long_one_is_its_share_of_it() -> None:
    assert score_pair({"x", "y"}, {"w", "x", "y", "z"}, EVEN) == ONE // 2


def test_titles_that_differ_in_a_figure_are_far_apart() -> None:
    phone = {"iphone", "手机", "14"}
    assert score_pair(phone, {"iphone", "手机", "15"}, EVEN) == round(ONE / 3)
    assert score_pair(phone, {"iphone", "手机", "w"}, EVEN) == round(2 * ONE / 3)
    assert score_pair(phone, {"iphone", "手机", "w", "14"}, EVEN) == round(3 * ONE / 4)
    assert score_pair(phone, {"iphone", "手机"}, EVEN) == round(2 * ONE / 3)


def test_rare_words_and_figures_weigh_more() -> None:
    titles, having = np.full(3, 1_000), np.array([500, 5, 5])
    common, rare, figure = weigh(titles, having, np.array([False, False, True])).tolist()
    assert 0 < common < rare < figure
    assert figure == pytest.approx(rare * 1.5**2, rel=1e-3)


def test_a_word_that_all_titles_have_still_weighs_something() -> None:
    assert weigh(np.array([7]), np.array([7]), np.array([False])) > 0
