"""Words that count, their hashes, and TextRank."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.similar import textrank, words
from streaming.similar.description import Hashes64
from streaming.similar.tallying import tally, without
from streaming.similar.textrank import ranks
from streaming.similar.words import WordHashes, counted, word_hash


@pytest.mark.parametrize(
    ("token", "word"),
    [
        ("Spark", "spark"),
        ("比赛", "比赛"),
        ("5G", "5g"),
        ("球", None),
        ("——", None),
        ("__", None),
        ("我们", None),
        ("", None),
        ("a_", "a_"),
    ],
)
def test_what_counts(token: str, word: str | None) -> None:
    assert counted(token, {"我们"}) == word


def test_hashes_are_fixed_for_ever() -> None:
    # Stored descriptions hold these.
    assert word_hash("比赛") == 0x69CEEFB775F3CA26
    assert 0 < word_hash("\ud800") < 2**64


@given(st.lists(st.sampled_from(["比赛", "Spark", "spark", "我们", "球", "5G"]), max_size=20))
def test_remembered_hashes_are_those_of_the_words(tokens: list[str]) -> None:
    found = WordHashes().of(tokens)
    assert found.dtype == np.uint64
    known = [counted(token, ()) for token in tokens]
    assert found.tolist() == [word_hash(word) for word in known if word]


def test_not_more_is_remembered_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_CACHED_WORDS", 10)
    hashes = WordHashes()
    for number in range(100):
        assert hashes[f"w{number}"] == word_hash(f"w{number}")
        assert len(hashes) <= 10


few = st.lists(st.integers(0, 9), max_size=30).map(lambda values: np.array(values, np.uint64))


@given(few, few)
def test_the_tally_is_that_of_a_dictionary(title: Hashes64, body: Hashes64) -> None:
    text = [*body.tolist(), *title.tolist()]
    found, counts, firsts, titled = (each.tolist() for each in tally(title, body))
    assert found == [*dict.fromkeys(text)]
    assert counts == [body.tolist().count(word) for word in found]
    assert firsts == [text.index(word) if word in body else 0 for word in found]
    assert titled == [int(word in title) for word in found]


@given(few, few)
def test_what_is_left_out_is_not_counted(terms: Hashes64, stop_words: Hashes64) -> None:
    kept = [term for term in terms.tolist() if term and term not in stop_words]
    assert without(terms, np.unique(stop_words)).tolist() == kept


def plain(text: list[int]) -> dict[int, float]:
    """TextRank as its paper tells it, with sets."""
    graph: dict[int, set[int]] = {word: set() for word in text}
    for at, word in enumerate(text):
        for other in text[at + 1 : at + textrank.WINDOW]:
            if other != word:
                graph[word].add(other)
                graph[other].add(word)
    found = dict.fromkeys(graph, 1.0)
    for _ in range(200):
        found = {
            word: 0.15 + 0.85 * sum(found[near] / len(graph[near]) for near in graph[word])
            for word in graph
        }
    mean = sum(found.values()) / len(found)
    return {word: rank / mean for word, rank in found.items()}


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_ranks_are_those_of_the_paper(text: list[int]) -> None:
    found = ranks(np.array(text, np.uint64))
    expected = plain(text)
    assert found == pytest.approx([expected[word] for word in sorted(expected)], abs=1e-4)
    assert found.mean() == pytest.approx(1, abs=1e-5)


def test_a_word_among_many_others_ranks_highest() -> None:
    draw = random.Random(1)
    text = [n for other in draw.sample(range(10, 60), 40) for n in (1, other)]
    found = ranks(np.array(text, np.uint64))
    assert found.argmax() == 0
    assert len(ranks(np.empty(0, np.uint64))) == 0


def test_weights_do_not_overflow_their_tables() -> None:
    body = np.array([1] * 10_000 + list(range(2, 3_000)), np.uint64)
    found = words.keywords(
        np.empty(0, np.uint64), body, lambda hashes: np.ones(len(hashes)), "tfidf"
    )
    assert found.hashes[0] == 1
    assert len(found.hashes) == 50
    # The last entries of the tables stand for all that is beyond.
    assert words._DECAYS[-1] == 1
    assert words._DECAYS[-2] == pytest.approx(1, abs=1e-12)
    assert words._LOGARITHMS[-1] == pytest.approx(1 + math.log(4095))


def test_an_article_without_words_has_no_keywords() -> None:
    nothing = np.empty(0, np.uint64)
    found = words.keywords(nothing, nothing, lambda hashes: np.ones(len(hashes)), "textrank")
    assert len(found.hashes) == len(found.weights) == 0
