import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.position import timestamp_ms
from streaming.similar.entries import Row
from streaming.similar.scoring import Ranking
from streaming.similar.view import Challenger, View
from tests.similar.scopes import (
    ARTICLES,
    HOUR,
    Reference,
    describe,
    descriptions,
    logs,
    moment,
    rankings,
    row,
    standing,
)


def check(view: View, reference: Reference) -> None:
    articles = reference.articles()
    assert view.reached == reference.reached
    assert {article for article in ARTICLES if view.rankable(article)} == set(articles)
    for article in ARTICLES:
        assert view.standing(article) == reference.standing(article)
        assert view.neighbours(article) == reference.neighbours(article)
    named = view.naming(ARTICLES)
    assert list(named) == ARTICLES
    for article, those in named.items():
        assert len(those) == len(set(those))
        assert set(those) == reference.naming(article)
    assert sorted(view.articles()) == sorted(articles)
    assert view.lists(ARTICLES, {}) == reference.lists(ARTICLES, {})
    renewed = {article: reference.best(article) for article in sorted(articles)[::2]}
    assert view.lists(ARTICLES, renewed) == reference.lists(ARTICLES, renewed)
    assert view.unranked(100) == reference.unranked()
    assert view.unranked(1) == reference.unranked()[:1]
    some = sorted(articles)
    assert dict(zip(some, view.best(some), strict=True)) == {
        article: reference.best(article) for article in some
    }
    challengers = [
        Challenger(
            article,
            described,
            stands.first,
            stands.published_ms,
            timestamp_ms(stands.first) + reference.ranking.window_ms + HOUR * (number % 2),
        )
        for number, (article, (stands, described)) in enumerate(articles.items())
    ]
    for challenger in challengers:
        assert view.challenged([challenger]) == reference.challenged([challenger])
    assert view.challenged(challengers) == reference.challenged(challengers)


@given(ranking=rankings, data=st.data())
@settings(max_examples=150)
def test_a_view_says_what_brute_force_says(ranking: Ranking, data: st.DataObject) -> None:
    rows = data.draw(logs(ranking))
    cut = data.draw(st.integers(0, len(rows)))
    view, reference = View(ranking), Reference(ranking)
    for part in (rows[:cut], rows[cut:]):
        view.apply(part)
        reference.apply(part)
        check(view, reference)


@given(ranking=rankings, data=st.data())
@settings(max_examples=50)
def test_a_draft_is_compared_as_if_it_were_in_the_view(
    ranking: Ranking, data: st.DataObject
) -> None:
    rows, text = data.draw(logs(ranking)), data.draw(descriptions)
    view, reference = View(ranking), Reference(ranking)
    view.apply(rows)
    reference.apply(rows)
    for hour, exclude in itertools.product((0.5, 2, 7), (None, "a", "nobody")):
        first = moment(hour, 1, "new")
        expected = reference.best_for(text, first, 0, exclude)
        assert view.best_for(text, first, 0, exclude) == expected


@given(ranking=rankings, data=st.data())
@settings(max_examples=20)
def test_a_directory_is_as_good_as_memory(
    ranking: Ranking, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("view")
    rows = data.draw(logs(ranking))
    reference = Reference(ranking)
    for start in range(0, len(rows), 6):
        with View(ranking, directory) as view:
            assert view.reached == reference.reached
            view.apply(rows[start : start + 6])
            reference.apply(rows[start : start + 6])
    with View(ranking, directory) as view:
        check(view, reference)


RANKING = Ranking()
TEXT = describe([1, 0], {1: 1, 2: 1})


def test_nothing_is_asked_of_an_empty_view() -> None:
    view = View(RANKING)
    assert view.reached == b""
    assert not view.rankable("a")
    assert view.standing("a") is None
    assert view.neighbours("a") is None
    assert view.naming(["a"]) == {"a": []}
    assert view.unranked(5) == []
    assert view.best([]) == []
    assert view.best_for(TEXT, moment(1), 0) == ()
    assert view.challenged([Challenger("a", TEXT, moment(1), 0, 2 * HOUR)]) == set()


def test_an_article_that_is_not_rankable_has_no_neighbours_to_find() -> None:
    view = View(RANKING)
    view.apply([row("a", 1, standing(moment(1)), TEXT), row("b", 1, standing(moment(2)))])
    view.apply([row("a", 2)])
    for article in ("a", "b", "c"):
        with pytest.raises(ValueError, match=f"'{article}' has no description"):
            view.best([article])


def test_what_cannot_be_kept_is_refused_before_anything_changes() -> None:
    view = View(Ranking(size=1))
    good = row("a", 1, standing(moment(1)), TEXT)
    view.apply([good])
    other = describe([1, 0, 0], {1: 1})
    for bad in (
        Row("b", b"123456789", judged=True),
        Row("b", b"1", neighbours=(("a", 1), ("c", 1))),
        row("b", 2, standing(moment(2)), other),
    ):
        with pytest.raises(ValueError, match=r"a token has|a list has|descriptions of one"):
            view.apply([row("a", 3), bad])
        assert view.rankable("a")
        assert view.reached == good.token


def test_vectors_alone_make_neighbours_in_the_cells_looked_into() -> None:
    view = View(RANKING)
    view.apply(
        [
            row("here", 1, standing(moment(1)), describe([1, 0], {3: 1}, (2,))),
            row("there", 1, standing(moment(2)), describe([1, 0], {4: 1}, (1,))),
            row("last", 1, standing(moment(3)), describe([1, 0], {5: 1}, (0, 2))),
        ]
    )
    (found,) = view.best(["last"])
    assert [article for article, _ in found] == ["here"]
