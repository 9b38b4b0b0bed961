import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints.shingles import SHORT
from streaming.matching.evidence import NO_TEXT, Pair
from streaming.matching.measuring import Overlap, promising
from streaming.matching.verification import Answer, Check, Relation, Thresholds, verify
from tests.matching.test_evidence import of

BODY = list(range(200))
RULES = Thresholds()


def relate(later: bytes, earlier: bytes, days: float | None = None) -> Answer:
    return verify(Pair(later, earlier, days), RULES)


@pytest.mark.parametrize(
    ("later", "earlier", "relation"),
    [
        (BODY, BODY, Relation.DUPLICATE),
        (BODY, [*BODY[20:], *range(500, 520)], Relation.DUPLICATE),
        (BODY[:60], BODY, Relation.CONTAINED_IN),
        (BODY, BODY[:60], Relation.CONTAINS),
        (BODY, [*BODY[:120], *range(500, 580)], None),
        (BODY[:100], [*BODY[:88], *range(500, 512)], None),
        (BODY[:100], [*BODY[:96], *range(500, 504)], Relation.DUPLICATE),
        (BODY[:30], [*BODY[:24], *range(500, 506)], None),
        (BODY[:30], [*BODY[:27], *range(500, 503)], Relation.DUPLICATE),
        (BODY[:12], [*BODY[:10], *range(500, 502)], Relation.DUPLICATE),
        (BODY[:45], [*BODY[:45], *range(500, 520)], Relation.DUPLICATE),
        (BODY[:20], [*BODY[:16], *range(500, 580)], None),
        (BODY[:20], [*BODY[:20], *range(500, 580)], Relation.CONTAINED_IN),
        (BODY[:135], [*BODY[:120], *range(500, 530)], None),
        (BODY[:100], [*BODY[:85], *range(500, 615)], Relation.CONTAINED_IN),
        (BODY[:100], [*BODY[:75], *range(500, 625)], None),
        (BODY[:6], [*BODY[:6], *range(500, 507)], None),
        (BODY[:6], [*BODY[:6], *range(500, 506)], Relation.CONTAINED_IN),
        (BODY[:7], [*BODY[:7], *range(500, 520)], Relation.CONTAINED_IN),
    ],
)
def test_relations(later: list[int], earlier: list[int], relation: Relation | None) -> None:
    answer = relate(of(later), of(earlier))
    assert answer.relation == relation
    assert answer.failed == (None if relation else Check.OVERLAP)


def test_a_form_with_other_figures_is_a_template_even_where_they_are_most_of_it() -> None:
    words = list(range(100))
    one = of(words, [(100 + n, 900 + n) for n in range(50)])
    other = of(words, [(200 + n, 900 + n) for n in range(50)])
    answer = relate(one, other)
    assert (answer.relation, answer.failed) == (Relation.TEMPLATE, Check.FIGURES)
    assert answer.score == pytest.approx(2 / 3, abs=1e-6)


def test_a_headline_with_another_figure_is_a_template_unless_it_is_the_same() -> None:
    words = list(range(14))
    headline = of(words, [(101, 900)])
    assert relate(headline, of(words, [(102, 900)])).relation == Relation.TEMPLATE
    longer = list(range(80))
    answer = relate(of(longer, [(101, 900)]), of(longer, [(102, 900)]))
    assert answer.relation == Relation.DUPLICATE


def test_a_headline_of_somebody_else_is_a_template() -> None:
    words = list(range(14))
    one, other = (of([*words, name], names=([name], [name])) for name in (50, 51))
    assert relate(one, other).failed == Check.SUBJECT
    assert relate(of([*words, 50]), other).relation == Relation.DUPLICATE


def test_the_next_part_of_a_series_is_a_template() -> None:
    words = list(range(14))
    first, second = of(words), of(words, [(102, 900)])
    assert relate(second, first).relation == Relation.TEMPLATE
    assert relate(of([*words, 50]), first).relation == Relation.DUPLICATE


def test_a_text_with_all_figures_changed_is_a_template_though_they_are_few() -> None:
    one, other = of(BODY, [(301, 900), (302, 901)]), of(BODY, [(303, 900), (304, 901)])
    assert relate(one, other).relation == Relation.TEMPLATE
    edited = of([*BODY[:170], *range(500, 530)], [(303, 900), (304, 901)])
    assert relate(one, edited).relation == Relation.DUPLICATE


def test_the_same_form_about_somebody_else_is_a_template() -> None:
    notice = of(BODY, names=([10, 11], [10]))
    again = of([*BODY[:160], *range(500, 540)], names=([20, 11], [20]))
    answer = relate(again, notice)
    assert (answer.relation, answer.failed) == (Relation.TEMPLATE, Check.SUBJECT)
    once = of([*BODY[:140], *range(500, 560)], names=([20, 11], []))
    assert relate(once, notice).relation == Relation.TEMPLATE
    rewritten = of([*BODY[:160], *range(500, 540)], names=([20, 11], []))
    assert relate(rewritten, notice).relation == Relation.DUPLICATE
    misspelt = of([*BODY[:190], *range(500, 510)], names=([20, 11], [20]))
    assert relate(misspelt, notice).relation == Relation.DUPLICATE


@pytest.mark.parametrize(
    ("days", "relation"),
    [(None, Relation.DUPLICATE), (2.9, Relation.DUPLICATE), (3, None), (40.0, None)],
)
def test_what_comes_later_has_to_be_closer(days: float | None, relation: Relation | None) -> None:
    edited = of([*BODY[:160], *range(500, 540)])
    assert relate(edited, of(BODY), days).relation == relation
    assert relate(of(BODY[:80]), of([*BODY[:60], *range(500, 700)]), days).relation is None
    assert relate(of([*BODY[:180], *range(500, 520)]), of(BODY), days).relation
    assert relate(of(BODY[:150]), of([*range(40, 200), *range(500, 640)]), days).relation


def test_a_few_corrected_figures_do_not_make_a_template() -> None:
    figures = [(300 + n, 900 + n) for n in range(20)]
    corrected = [(400, 900), *figures[1:]]
    answer = relate(of(BODY, figures), of(BODY, corrected))
    assert answer.relation == Relation.DUPLICATE


def test_nothing_is_a_copy_of_a_text_without_words() -> None:
    answer = relate(of([]), of([]))
    assert (answer.relation, answer.score) == (None, 0)


SHARES = st.floats(0.5, 1)


@st.composite
def overlaps(draw: st.DrawFn) -> Overlap:
    length, grams = draw(st.sampled_from([5, 30, 139, 140, 900])), draw(st.integers(0, 60))
    return Overlap(
        first_is_shorter=draw(st.integers(0, 1)),
        length=length,
        longer_length=length + draw(st.integers(0, 200)),
        grams=grams,
        longer_grams=grams + draw(st.integers(0, 60)),
        common=draw(st.integers(0, grams)),
        figures=draw(st.integers(0, grams)),
    )


@given(
    st.lists(overlaps(), min_size=1, max_size=12),
    st.builds(
        Thresholds,
        overlap=SHARES,
        brief_excerpt=SHARES,
        short_overlap=SHARES,
        late_overlap=SHARES,
    ),
    st.sampled_from([None, 0.0, 9.0]),
)
def test_what_is_left_out_has_too_little_overlap_and_is_not_the_nearest(
    laid: list[Overlap], thresholds: Thresholds, days_apart: float | None
) -> None:
    def answer(overlap: Overlap) -> Answer:
        return verify(Pair(NO_TEXT, NO_TEXT, days_apart, overlap), thresholds)

    measured = np.array(laid, dtype=np.int64)
    kept = promising(measured, SHORT, thresholds.least_overlap).tolist()
    assert kept == sorted(set(kept))
    told = [answer(laid[place]) for place in kept]
    for place, overlap in enumerate(laid):
        if place not in kept:
            # Of two brief texts the likeness counts, which this does not tell.
            assert overlap.longer_length >= SHORT
            left = answer(overlap)
            assert (left.relation, left.failed) == (None, Check.OVERLAP)
            assert any(left.score < each.score for each in told if each.failed == left.failed)
