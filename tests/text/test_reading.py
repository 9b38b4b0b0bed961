"""Loops over characters and words find what regular expressions and counters find."""

import re
from collections import Counter
from hashlib import blake2b

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints import hashing, shingles
from streaming.fingerprints.shingles import CLAUSE_LENGTH, bigrams, hash_of, hashes
from streaming.text import reading
from streaming.text.clauses import clauses
from streaming.text.features import FeatureExtractor
from streaming.text.lexemes import Lexemes
from streaming.text.normalise import normalise
from streaming.text.segment import Segmenter
from streaming.text.shingling import Passage
from streaming.text.tables import read_jieba_idf
from streaming.text.word_forms import word_and_form
from tests.newsfeed import messages

NUMERALS = "零〇一二三四五六七八九十百千万亿两"
FIGURE = re.compile(rf"[0-9]+(?:\.[0-9]+)?|第[{NUMERALS}]+|[{NUMERALS}]+(?=[年月日号届轮名])")
PHRASE = re.compile(r"(?:[^\W_]|%|(?<=[0-9])\.(?=[0-9]))+")

SEGMENTER = Segmenter()
EXTRACTOR = FeatureExtractor(read_jieba_idf(), {"的", "此外"}, channel_lexicons={"财": {"银行": 5}})
LEXEMES = Lexemes(SEGMENTER.dictionary, EXTRACTOR)
PIECES = st.one_of(
    st.sampled_from(
        ["北京", "银行", "第三季度", "十二月", "二十", "两名", "3.5", "12", "%", "A股"]
    ),
    st.sampled_from(
        [*"。，,.:;!? \n的在人第年月日号一二三十百零3.5aBé_-%#…《》“”䷀\u3007\U00020000😀"]
    ),
    st.characters(),
)
TEXTS = st.lists(PIECES, max_size=40).map("".join).map(normalise)


def read(text: str) -> Passage:
    (tokens,) = SEGMENTER.tokens([text])
    LEXEMES.meet([tokens])
    return Passage.read(tokens, titled=True)


@pytest.fixture(scope="module")
def articles() -> list[str]:
    events = [orjson.loads(message.value) for message in messages(300, seed=5)]
    return [normalise(event["body"]) for event in events]


def check_characters(text: str) -> None:
    passage = read(text)
    found = clauses(text)
    kept = [clause for clause, size in found if size >= CLAUSE_LENGTH]
    assert passage.clauses.tolist() == hashes(kept).tolist()
    assert passage.length == sum(size for _, size in found)
    assert passage.whole == hash_of(" ".join(clause for clause, _ in found))
    assert Passage.read(passage.tokens).whole == 0
    phrases = [each for each in PHRASE.findall(text.lower()) if len(each) >= 4]
    forms = [FIGURE.sub("#", each) for each in phrases]
    assert passage.phrases.tolist() == [
        [hash_of(phrase), hash_of(form)]
        for phrase, form in zip(phrases, forms, strict=True)
        if phrase != form
    ]


def check_words(text: str) -> None:
    passage = read(text)
    numbers, words = passage.tokens.numbers, passage.tokens.words()
    size = len(numbers)
    grams, figures = np.empty(size, np.uint64), np.empty((size, 2), np.uint64)
    count, held = reading.read_bigrams(numbers, LEXEMES.hashed, LEXEMES.flags, grams, figures)
    known = [each for each in map(word_and_form, words) if each is not None]
    pairs = np.array(known, dtype=np.uint64).reshape(-1, 2)
    assert grams[:count].tolist() == bigrams(pairs[:, 0]).tolist()
    holding = pairs[:, 0] != pairs[:, 1]
    if len(holding) > 1:
        holding = holding[:-1] | holding[1:]
    assert figures[:held, 0].tolist() == grams[:count][holding].tolist()
    assert figures[:held, 1].tolist() == bigrams(pairs[:, 1])[holding].tolist()
    for brief in (False, True):
        names, subjects = np.empty((2, size), np.uint64)
        named, about = reading.read_names(
            numbers, LEXEMES.hashed, LEXEMES.flags, int(brief), LEXEMES.counts, names, subjects
        )
        times = Counter(words)
        idf = EXTRACTOR.idf([*times])
        few = dict(zip(times, EXTRACTOR.are_rare([*times], idf), strict=True))
        in_table = dict(zip(times, ~np.isnan(idf), strict=True))
        rare = [word for word in times if few[word]]
        chosen = [w for w in rare if (not in_table[w] if brief else times[w] >= 3)]
        assert names[:named].tolist() == hashes(rare).tolist()
        assert subjects[:about].tolist() == hashes(chosen).tolist()
    assert not LEXEMES.counts.any()


def test_phrases_with_figures_have_the_form_of_another_day() -> None:
    text = "第六巡视组 3月12日进驻,增长3.5%;其中手机1200万部、电脑八年。没有数字的一句"
    expected = [
        ("第六巡视组", "#巡视组"),
        ("3月12日进驻", "#月#日进驻"),
        ("增长3.5%", "增长#%"),
        ("其中手机1200万部", "其中手机#万部"),
        ("电脑八年", "电脑#年"),
    ]
    assert read(text).phrases.tolist() == [[hash_of(a), hash_of(b)] for a, b in expected]


@given(TEXTS)
def test_clauses_and_phrases_of_any_text(text: str) -> None:
    check_characters(text)


@given(TEXTS)
def test_words_of_any_text(text: str) -> None:
    check_words(text)


def test_articles(articles: list[str]) -> None:
    for text in articles:
        check_characters(text)
        check_words(text)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30), st.integers(1, 20))
def test_bands_are_minima_of_hash_functions(grams: list[int], bands: int) -> None:
    seeds = shingles.SEEDS
    values = np.array(grams, dtype=np.uint64)
    found = hashing.banded(values, bands, 2, seeds)
    column = seeds[: 2 * bands, None]
    smallest = shingles.mix(values[None, :] * column + (column >> hashing.SHIFT)).min(axis=1)
    combined = np.full(bands, 2, dtype=np.uint64)
    for row in range(2):
        combined = shingles.mix(combined * hashing.ODD + smallest[row * bands : (row + 1) * bands])
    assert found.tolist() == shingles.mix(combined + seeds[:bands]).tolist()


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_one_mix_is_the_other(values: list[int]) -> None:
    array = np.array(values, dtype=np.uint64)
    assert [int(hashing.mix(value)) for value in array] == shingles.mix(array).tolist()


@given(st.binary(max_size=300), st.integers(0, 20))
def test_blake_is_that_of_the_standard_library(text: bytes, start: int) -> None:
    start = min(start, len(text))
    found = hashing.blake(np.frombuffer(text, np.uint8), start, len(text))
    digest = blake2b(text[start:], digest_size=8).digest()
    assert int(found) == int.from_bytes(digest, "big")


@given(st.characters(exclude_categories=["Cs"]))
def test_characters_are_spelled_in_utf_8(character: str) -> None:
    written = np.zeros(8, np.uint8)
    end = hashing.spell(np.uint32(ord(character)), written, 2)
    assert written[2:end].tobytes() == character.encode()
