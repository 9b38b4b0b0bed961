from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.matching import title_join
from streaming.matching.title_index import Titles, TitleVocabulary
from streaming.matching.title_join import candidates, join
from streaming.matching.title_thresholds import (
    TITLE_DEFAULTS,
    LengthClass,
    TitleRelation,
    TitleThresholds,
)
from streaming.matching.titles import ONE, score_pair
from streaming.text.title_words import is_figure
from tests.matching.titles import (
    Title,
    TitleMatch,
    best_matches,
    catalogues,
    rated,
    thresholds,
    weights_of,
)


def encode(
    left: Sequence[Title], right: Sequence[Title], limits: TitleThresholds
) -> tuple[Titles, Titles, TitleVocabulary]:
    both = [*left, *right]
    spaces = {name: n for n, name in enumerate(sorted({title.category for title in both}))}
    having: dict[tuple[int, str], int] = {}
    for title in both:
        for word in title.words:
            key = (spaces[title.category], word)
            having[key] = having.get(key, 0) + 1
    known = sorted(having)
    vocabulary = TitleVocabulary.of(
        np.array([space for space, _ in known], np.int64),
        np.array([having[key] for key in known], np.int64),
        np.array([is_figure(word) for _, word in known], bool),
        np.bincount([spaces[title.category] for title in both], minlength=len(spaces)),
    )
    number = dict(zip(known, vocabulary.number.tolist(), strict=True))

    def titles(catalogue: Sequence[Title]) -> Titles:
        of = [spaces[title.category] for title in catalogue]
        words = [number[spaces[t.category], word] for t in catalogue for word in t.words]
        return Titles.of(
            np.array(of, np.int64),
            np.array([len(title.words) for title in catalogue], np.int64),
            np.array(words, np.int64),
            vocabulary,
            limits,
        )

    return titles(left), titles(right), vocabulary


def joined(
    left: Sequence[Title], right: Sequence[Title], limits: TitleThresholds
) -> Mapping[str, TitleMatch]:
    if not left or not right:
        return {}
    names = [title.name for title in right]
    rank = np.array([sorted(names).index(name) for name in names], np.int64)
    ours, theirs, vocabulary = encode(left, right, limits)
    best = join(ours, theirs, rank, vocabulary, limits)
    assert best.scored <= best.candidates == candidates(ours, theirs).sum()
    rows = zip(best.left, best.right, best.scores, best.relations, strict=True)
    return {left[a].name: TitleMatch(names[b], s, TitleRelation(r)) for a, b, s, r in rows}


@given(catalogues(), thresholds())
def test_the_best_matches_are_those_of_scoring_all_pairs(
    pair: tuple[list[Title], list[Title]], limits: TitleThresholds
) -> None:
    left, right = pair
    assert joined(left, right, limits) == best_matches(left, right, limits)


@given(catalogues(("",)))
def test_a_pair_whose_score_is_the_threshold_itself_is_found(
    pair: tuple[list[Title], list[Title]],
) -> None:
    left, right = pair
    weights = weights_of([*left, *right])
    scores = {score_pair(set(a.words), set(b.words), weights) for a in left for b in right}
    for score in scores - {0}:
        limit = LengthClass(up_to=None, min=score / ONE, best=score / ONE, max=score / ONE)
        limits = TitleThresholds(version=1, classes=(limit,))
        assert joined(left, right, limits) == best_matches(left, right, limits)


@given(catalogues(), st.integers(1, 40), st.integers(1, 60))
def test_the_size_of_blocks_does_not_matter(
    pair: tuple[list[Title], list[Title]], entries: int, cells: int
) -> None:
    left, right = pair
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(title_join, "_BLOCK_ENTRIES", entries)
        patch.setattr(title_join, "_BLOCK_CELLS", cells)
        assert joined(left, right, TITLE_DEFAULTS) == best_matches(left, right, TITLE_DEFAULTS)


def test_the_smallest_id_wins_a_tie() -> None:
    left = [Title("a", "", ("x", "y"))]
    right = [Title(name, "", ("x", "y")) for name in ("r9", "r10", "r2")]
    assert joined(left, right, TITLE_DEFAULTS) == {
        "a": TitleMatch("r10", 1_000_000, TitleRelation.MATCH)
    }


def test_a_surer_relation_wins_over_a_higher_score() -> None:
    limits = TitleThresholds.model_validate(
        {
            "version": 1,
            "classes": [
                {"up_to": 2, "min": 0.1, "best": 0.95, "max": 0.99},
                {"up_to": None, "min": 0.1, "best": 0.1, "max": 0.15},
            ],
        }
    )
    left = [Title("a", "", ("x", "y", "z", "u"))]
    short = Title("short", "", ("x", "y"))
    long = Title("long", "", ("z", "v", "w"))
    both = [*left, short, long]
    scores = {
        title.name: rated(left[0], title, weights_of(both), limits).score for title in both[1:]
    }
    assert scores["long"] < scores["short"]
    assert joined(left, [short, long], limits)["a"].right == "long"


def test_few_pairs_of_a_large_catalogue_are_looked_at() -> None:
    rng = np.random.default_rng(1)
    words = [tuple({f"w{n}" for n in rng.zipf(1.4, 8) % 3_000}) for _ in range(2_000)]
    left = [Title(f"l{n}", "", each) for n, each in enumerate(words[:1_000])]
    right = [Title(f"r{n}", "", each) for n, each in enumerate(words[1_000:])]
    ours, theirs, vocabulary = encode(left, right, TITLE_DEFAULTS)
    best = join(ours, theirs, np.arange(len(right)), vocabulary, TITLE_DEFAULTS)
    assert 0 < best.scored < 0.2 * len(left) * len(right)
