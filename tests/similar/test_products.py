"""Products of one article with all that could be in its list, against one pair at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.position import timestamp_ms
from streaming.similar.entries import Row
from streaming.similar.scoring import Ranking
from streaming.similar.view import View
from tests.similar.scopes import HOUR, Reference, describe, logs, moment, row, standing

RANKING = Ranking(window_ms=2 * HOUR, size=3)


@settings(max_examples=60)
@given(logs(RANKING), st.booleans())
def test_products_are_those_of_every_pair_within_the_window(rows: list[Row], more: bool) -> None:  # noqa: FBT001 - drawn
    view, wanted = View(RANKING), Reference(RANKING)
    for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]) if more else (rows,):
        view.apply(part)
        wanted.apply(part)
    live = wanted.articles()
    for name, (own, description) in live.items():
        expected = {}
        for other, (stands, text) in live.items():
            apart = abs(timestamp_ms(own.first) - timestamp_ms(stands.first))
            if other == name or apart > RANKING.window_ms:
                continue
            weights = dict(zip(text.keywords.tolist(), text.weights.tolist(), strict=True))
            expected[other] = (
                sum(
                    weight * weights.get(word, 0)
                    for word, weight in zip(
                        description.keywords.tolist(), description.weights.tolist(), strict=True
                    )
                ),
                int(description.vector.astype(np.int64) @ text.vector.astype(np.int64)),
            )
        ids, keywords, vectors = view.products(name)
        found = zip(keywords.tolist(), vectors.tolist(), strict=True)
        assert dict(zip(ids, found, strict=True)) == expected
        assert len(ids) == len(expected)


def test_an_article_that_is_not_rankable_has_no_products() -> None:
    view = View(RANKING)
    text = describe([1, 0], {})
    view.apply([row("a", 1, standing(moment(1)), text), row("b", 1, standing(moment(2)))])
    assert view.products("a")[0] == []
    for article in ("b", "c"):
        with pytest.raises(ValueError, match=f"'{article}' has no description"):
            view.products(article)
