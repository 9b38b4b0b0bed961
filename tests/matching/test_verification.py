import pytest

from streaming.matching.verification import Check, Relation, Thresholds, verify
from tests.matching.test_evidence import of

BODY = list(range(200))
RULES = Thresholds()


@pytest.mark.parametrize(
    ("later", "earlier", "relation"),
    [
        (BODY, BODY, Relation.DUPLICATE),
        (BODY, [*BODY[20:], *range(500, 520)], Relation.DUPLICATE),
        (BODY[:60], BODY, Relation.CONTAINED_IN),
        (BODY, BODY[:60], Relation.CONTAINS),
        (BODY, [*BODY[:120], *range(500, 580)], None),
        (BODY[:100], [*BODY[:90], *range(500, 510)], None),
        (BODY[:100], [*BODY[:99], 500], Relation.DUPLICATE),
    ],
)
def test_relations(later: list[int], earlier: list[int], relation: Relation | None) -> None:
    answer = verify(of(later), of(earlier), RULES)
    assert answer.relation == relation
    assert answer.failed == (None if relation else Check.OVERLAP)


def test_a_form_with_other_figures_is_a_template_even_where_they_are_most_of_it() -> None:
    words = list(range(20))
    one = of(words, [(100 + n, 900 + n) for n in range(10)])
    other = of(words, [(200 + n, 900 + n) for n in range(10)])
    answer = verify(one, other, RULES)
    assert (answer.relation, answer.failed) == (Relation.TEMPLATE, Check.FIGURES)
    assert answer.score == pytest.approx(2 / 3, abs=1e-6)


def test_a_few_corrected_figures_do_not_make_a_template() -> None:
    figures = [(300 + n, 900 + n) for n in range(20)]
    corrected = [(400, 900), *figures[1:]]
    answer = verify(of(BODY, figures), of(BODY, corrected), RULES)
    assert answer.relation == Relation.DUPLICATE


def test_nothing_is_a_copy_of_a_text_without_words() -> None:
    answer = verify(of([]), of([]), RULES)
    assert (answer.relation, answer.score) == (None, 0)
