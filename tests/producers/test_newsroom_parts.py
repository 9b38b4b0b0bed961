"""The parts of the newsroom on their own: grammar, words, edits, markup."""

import re
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.newsroom import edits
from producers.newsroom.grammar import Grammar, Pool, expand, zipf_table
from producers.newsroom.lexicon import Lexicon, substitutes
from producers.newsroom.markup import html
from producers.newsroom.randomness import stable_hash, stream
from producers.newsroom.writer import Text

SEEDS = st.integers(0, 2**32)
TEXTS = st.builds(
    Text,
    st.text("天气123，", max_size=10),
    st.lists(st.text("发展研究市场5701年月日。！”“", min_size=1, max_size=60), max_size=6).map(
        tuple
    ),
)


@given(st.text("甲乙。！？”）\n 12", max_size=60))
def test_joined_sentences_are_the_paragraph(paragraph: str) -> None:
    assert "".join(edits.sentences(paragraph)) == paragraph


@given(TEXTS, SEEDS)
def test_renumbering_keeps_the_form_and_no_figure(text: Text, seed: int) -> None:
    edited = edits.renumbered(text, Random(seed))
    if edited is None:
        assert sum(len(re.findall(r"\d+", line)) for line in text.paragraphs) < 4
        return
    for new, old in zip(edited.paragraphs, text.paragraphs, strict=True):
        assert re.sub(r"\d+", "#", new) == re.sub(r"\d+", "#", old)
        for figure, before in zip(re.findall(r"\d+", new), re.findall(r"\d+", old), strict=True):
            assert int(figure) != int(before)


@given(TEXTS, SEEDS, st.sampled_from([0.01, 0.1, 0.5]))
def test_replacing_changes_words_of_the_dictionary_only(
    text: Text, seed: int, share: float
) -> None:
    edited = edits.replaced(text, Random(seed), share)
    if edited is None:
        return
    assert edited != text
    for new, old in zip(edited.paragraphs, text.paragraphs, strict=True):
        assert len(new) == len(old)
        assert re.sub(r"[^\d。！”“]", "", new) == re.sub(r"[^\d。！”“]", "", old)


@given(SEEDS)
def test_a_replaced_word_is_another_word(seed: int) -> None:
    words = sorted(substitutes())[::40]
    edited = edits.replaced(Text("", ("，".join(words),)), Random(seed), 1.0)
    assert edited is not None
    for new, old in zip(edited.paragraphs[0].split("，"), words, strict=True):
        assert new != old


@given(TEXTS, SEEDS)
def test_no_edit_returns_the_text_unchanged(text: Text, seed: int) -> None:
    for edit in (edits.punctuation, edits.reordered, edits.cut_lead):
        assert edit(text, Random(seed)) != text


@given(st.lists(st.text("文章<&>“”·5", min_size=1, max_size=30), min_size=1), SEEDS)
def test_markup_leaves_no_bare_brackets_of_the_text(paragraphs: list[str], seed: int) -> None:
    marked = html(paragraphs, Random(seed))
    text = re.sub(r"<(script|style)>.*?</\1>|<!--.*?-->|<[^>]*>", "", marked)
    assert "<" not in text
    assert ">" not in text


def test_figures_with_a_unit_stay_possible() -> None:
    text = Text("", ("2024年2月28日23时59分，1月1日",))
    for seed in range(200):
        edited = edits.renumbered(text, Random(seed))
        assert edited is not None
        year, month, day, hour, minute, *_ = map(int, re.findall(r"\d+", edited.paragraphs[0]))
        assert 2006 <= year <= 2030
        assert 1 <= month <= 12
        assert 1 <= day <= 28
        assert 0 <= hour <= 23
        assert 10 <= minute <= 59


def test_equal_figures_stay_equal() -> None:
    edited = edits.renumbered(Text("涨5%", ("涨5%，跌7%。", "又涨5%，成交88亿元。")), Random(1))
    assert edited is not None
    title, first, second = (re.findall(r"\d+", x) for x in (edited.title, *edited.paragraphs))
    assert title[0] == first[0] == second[0]


def test_a_zipf_table_prefers_the_first_words_and_holds_the_last() -> None:
    words = [f"w{number}" for number in range(100)]
    counts = Counter(zipf_table(words))
    ranked = [counts[word] for word in words]
    assert all(a + 1 >= b for a, b in pairwise(ranked))
    assert ranked[0] > 5 * ranked[-1] > 0


def test_a_grammar_expands_all_kinds_of_slots() -> None:
    grammar = Grammar(
        (),
        entities=("who",),
        pools=("n",),
        lists={"s": ["{@who}|{~n}|{#7-7}|{#5000-9000}|{word}|{一|二}"], "word": ["x"]},
    )
    pool = Pool(("own",), zipf_table(("own",)))
    who, noun, seven, large, word, inline = expand(
        grammar["s"], Random(1).random, ("me",), (pool,)
    ).split("|")
    assert (who, noun, seven, word) == ("me", "own", "7", "x")
    assert 5000 <= int(large) <= 9000
    assert inline in {"一", "二"}


@pytest.mark.parametrize("slot", ["{nobody}", "{@nobody}", "{~nobody}"])
def test_a_slot_that_nothing_fills_is_an_error_at_construction(slot: str) -> None:
    with pytest.raises(KeyError, match="nobody"):
        Grammar((), entities=("who",), pools=("n",), lists={"s": [slot]})


def test_no_two_channels_own_a_noun_and_adding_one_moves_few() -> None:
    names = ["go", "php", "java", "新的频道"]
    lexicon = Lexicon(names)
    owned = [set(lexicon.vocabulary(name).nouns) for name in names]
    assert all(len(words) == 60 for words in owned)
    assert len(set().union(*owned)) == 240
    terms = [set(lexicon.vocabulary(name).terms) for name in names]
    assert all(len(words) >= 10 for words in terms)
    before = set(Lexicon(names[:-1]).vocabulary("go").nouns)
    assert len(before & owned[0]) > 30


def test_substitutes_have_the_length_of_the_word() -> None:
    for word, group in substitutes().items():
        assert word in group
        assert {len(other) for other in group} == {len(word)}


def test_streams_depend_on_seed_and_path_only() -> None:
    assert stream(1, "a", 2).random() == stream(1, "a", 2).random()
    assert len({stream(1, 2).random(), stream(1, 3).random(), stream(2, 2).random()}) == 3
    assert stable_hash("频道", 1) == 0xA0C13AAB9E2DDDAC
