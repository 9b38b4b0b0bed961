import pickle
import random
import subprocess
import sys
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import rjieba
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.text.normalise import normalise
from streaming.text.segment import Segmenter
from streaming.text.user_words import UserWord
from streaming.text.viterbi import load_jieba
from tests.newsfeed import messages

ODD = [
    *"aZ09+#&._%-，。！？、；：“”《》（）·—…  \t\n\r\x0b\x1c\x85\u3000\u2028",
    *"㐀䶵鿖鿿豈\U00020000\U0002a6df\U0003134a\U0002f800",
    *"あアカﾞ한글😀👨‍👩‍👧é\u0301ﬁ①％Ａ\ud800\udfff\x00\ufeff",
    *[
        "3.14",
        "50%",
        "1.2.3",
        "C++",
        "AT&T",
        "A股",
        "T恤",
        "4S店",
        "x_y",
        "-1",
        "\r\n",
        "...",
        "5G",
    ],
]
HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FD5)


def load() -> Any:
    tokenizer = load_jieba().Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer


JIEBA = load()
OURS = {hmm: Segmenter(hmm=hmm) for hmm in (True, False)}
WORDS = sorted(random.Random(3).sample([word for word, n in JIEBA.FREQ.items() if n], 3_000))
COMMON = sorted(
    random.Random(4).sample([w for w, n in JIEBA.FREQ.items() if n > 2_000 and len(w) == 1], 400)
)
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(WORDS),
        st.sampled_from(COMMON),
        st.sampled_from(COMMON),
        st.sampled_from(ODD),
        HAN,
        st.characters(),
        st.text("+#&._%-aB12", max_size=6),
    ),
    max_size=20,
).map("".join)


def jieba(text: str, *, hmm: bool, tokenizer: Any = JIEBA) -> list[str]:
    return list(tokenizer.cut(text, HMM=hmm))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    events = [orjson.loads(message.value) for message in messages(400, seed=11)]
    return [f"{event['title']}\n{event['body']}"[:1_500] for event in events]


@pytest.mark.parametrize("hmm", [True, False])
def test_tokens_of_articles_are_jiebas(texts: list[str], *, hmm: bool) -> None:
    for text in texts:
        for variant in {text, normalise(text)}:
            assert OURS[hmm].cut(variant) == jieba(variant, hmm=hmm)


@pytest.mark.parametrize("hmm", [True, False])
@settings(max_examples=300)
@given(text=TEXTS)
def test_tokens_of_any_text_are_jiebas(text: str, *, hmm: bool) -> None:
    assert OURS[hmm].cut(text) == jieba(text, hmm=hmm)


@given(st.text(st.one_of(st.sampled_from(COMMON), HAN), max_size=30))
def test_runs_of_single_characters_are_cut_as_jieba_cuts_them(text: str) -> None:
    assert OURS[True].cut(text) == jieba(text, hmm=True)


def test_near_ties_of_the_word_model_fall_as_in_jieba() -> None:
    differing = 0
    for pair in near_ties():
        for third in "此我你也就不":
            text = pair + third
            assert OURS[True].cut(text) == jieba(text, hmm=True)
            differing += rjieba.cut(text) != jieba(text, hmm=True)
    assert differing, "the pairs do not show the difference that they are for"


def near_ties() -> Iterator[str]:
    """Pairs of characters that are nearly as probable as one word and as two, before a third."""
    tables = load_jieba("jieba.finalseg")
    emit, start, step = tables.emit_P, tables.start_P, tables.trans_P
    word = start["B"] + step["B"]["E"] + step["E"]["S"]
    alone = start["S"] + step["S"]["S"] + step["S"]["S"]
    firsts = sorted((emit["B"][c] - emit["S"][c], c) for c in emit["B"] if c in emit["S"])
    seconds = sorted((emit["E"][c] - emit["S"][c], c) for c in emit["E"] if c in emit["S"])
    gains = [gain for gain, _ in seconds]
    for gain, first in firsts:
        tie = alone - word - gain
        for at in range(bisect_left(gains, tie - 1e-6), bisect_right(gains, tie + 1e-6)):
            yield first + seconds[at][1]


def test_a_word_less_probable_than_its_characters_stays_apart_unless_ascii_is_next() -> None:
    total = JIEBA.total
    rare = [
        word
        for word, n in JIEBA.FREQ.items()
        if n and len(word) == 2 and n * total < JIEBA.FREQ[word[0]] * JIEBA.FREQ.get(word[1], 0)
    ]
    assert rare
    for word in rare[:300]:
        for text in (word, f"{word}3", f"a{word}", f"卡拉OK{word}", f"{word}-", f"。{word}，"):
            assert OURS[True].cut(text) == jieba(text, hmm=True)


USER_WORDS = st.lists(
    st.builds(
        UserWord,
        st.one_of(
            st.sampled_from(WORDS),
            st.lists(st.sampled_from(COMMON), min_size=2, max_size=4).map("".join),
            st.sampled_from(
                ["5G", "C++20", "云原生", "B站", "A-B", "北 京", "鿿字", "常在", "iPhone"]
            ),
        ),
        st.one_of(st.none(), st.integers(0, 5), st.integers(1, 10**6)),
        st.sampled_from([None, "n"]),
    ).filter(lambda entry: len(entry.word) > 1),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(entries=USER_WORDS, texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_user_words_have_the_effect_they_have_in_jieba(
    entries: list[UserWord], texts: list[str]
) -> None:
    forced = load_jieba("jieba.finalseg").Force_Split_Words
    tokenizer = load_jieba().Tokenizer()
    tokenizer.FREQ, tokenizer.total = dict(JIEBA.FREQ), JIEBA.total
    tokenizer.initialized = True
    try:
        for entry in entries:
            tokenizer.add_word(entry.word, entry.frequency, entry.tag)
        words = [entry.word for entry in entries]
        modelled, routed = Segmenter(entries), Segmenter(entries, hmm=False)
        vars(routed)["_cutter"] = modelled._cutter
        for text in [*texts, "".join(words), *(f"我{w}是{w}了a.{w}-{w}+3%" for w in words)]:
            for hmm, segmenter in ((True, modelled), (False, routed)):
                assert segmenter.cut(text) == jieba(text, hmm=hmm, tokenizer=tokenizer)
    finally:
        forced.clear()


def test_a_frequency_that_is_replaced_still_counts_in_the_total() -> None:
    billion = 10**9
    low, high = JIEBA.total + billion, JIEBA.total + 2 * billion
    # Two characters under the lower total, one word under the higher one.
    torn = [
        word
        for word, n in JIEBA.FREQ.items()
        if n
        and len(word) == 2
        and low < JIEBA.FREQ[word[0]] * JIEBA.FREQ.get(word[1], 0) / n < high
    ]
    segmenter = Segmenter([UserWord("中国", billion), UserWord("中国", billion)], hmm=False)
    assert torn
    assert {len(segmenter.cut(word)) for word in torn if word != "中国"} == {1}


def test_an_ascii_word_of_the_user_is_not_joined_with_symbols() -> None:
    tokens = Segmenter([UserWord("5G", 9)]).cut("用5G+2.5%与6G+2.5%")
    assert tokens == ["用", "5G", "+", "2.5%", "与", "6G", "+", "2.5%"]


def test_a_user_word_stays_in_its_segmenter() -> None:
    assert "雷同稿" in Segmenter([UserWord("雷同稿")]).cut("雷同稿多")
    assert "雷同稿" not in Segmenter().cut("雷同稿多")


@pytest.mark.parametrize("word", ["", "a", "7"])
def test_a_word_that_jieba_could_not_tell_from_others_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="cannot be a word"):
        UserWord(word)


def test_strangers_are_forgotten_and_the_dictionary_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streaming.text.dictionary._STRANGERS", 50)
    segmenter = Segmenter([UserWord("雷同稿", 9)])
    known = segmenter.tokens(["北京"])[0].numbers
    for number in range(300):
        text = f"x{number:x}z，北京{COMMON[number]}{COMMON[-number]}雷同稿"
        assert "".join(segmenter.cut(text)) == text
        assert segmenter.cut(text)[-1] == "雷同稿"
    assert segmenter.dictionary.era > 2
    assert segmenter.dictionary.numbers < len(segmenter.dictionary.places) + 200
    assert (segmenter.tokens(["北京"])[0].numbers == known).all()


def test_a_text_of_nothing_but_new_words_finds_room() -> None:
    segmenter = Segmenter()
    text = " ".join(f"{number:x}q" for number in range(150_000))
    assert segmenter.cut(text) == jieba(text, hmm=True)
    assert segmenter.cut("北京" + text[:9]) == jieba("北京" + text[:9], hmm=True)


@given(st.lists(st.one_of(TEXTS, st.sampled_from(["", "\r", "\n", "\0"])), max_size=5))
def test_a_number_stands_for_one_token(texts: list[str]) -> None:
    tokens = OURS[True].tokens(texts)
    pairs = {
        (number, word)
        for each in tokens
        for number, word in zip(each.numbers.tolist(), each.words(), strict=True)
    }
    for text, each in zip(texts, tokens, strict=True):
        assert each.words() == OURS[True].cut(text)
    assert len(pairs) == len({number for number, _ in pairs}) == len({word for _, word in pairs})


def test_a_segmenter_pickles_without_its_dictionaries() -> None:
    segmenter = Segmenter([UserWord("雷同稿", 9)], hmm=False)
    before = segmenter.cut("雷同稿多")
    pickled = pickle.dumps(segmenter)
    assert len(pickled) < 1_000
    assert pickle.loads(pickled).cut("雷同稿多") == before  # noqa: S301 - just made here


def test_no_cache_file_is_left_for_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    Segmenter([UserWord("雷同稿"), UserWord("北京", 0)]).cut("北京的雷同稿多")
    assert not list(tmp_path.iterdir())


def test_loading_is_quiet_and_lazy() -> None:
    program = (
        "import sys; from streaming.text.pipeline import TextPipeline\n"
        "from streaming.text.segment import Segmenter\n"
        "from streaming.text.user_words import UserWord\n"
        "assert 'jieba' not in sys.modules\n"
        "Segmenter([UserWord('雷同稿')]).cut('雷同稿多')\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        check=False,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
