import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.text.settings import TextSettings
from streaming.text.title_words import MAX_WORDS, TitleWords, is_figure

CUTTER = TitleWords(TextSettings())


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("iPhone14Pro 手机", {"iphone", "14", "pro", "手机"}),
        ("IPHONE 14 PRO 手机", {"iphone", "14", "pro", "手机"}),
        ("ＡＸ３０００ 路由器", {"ax", "3000", "路由器"}),
        ("12.5kg大米", {"12.5", "kg", "大米"}),
        ("索尼A7M4", {"索尼", "a7m4"}),
        ("5G手机", {"5g", "手机"}),
        ("GDP增长5.2%", {"gdp", "增长", "5.2%"}),
        ("<b>权力</b>的&amp;游戏！", {"权力", "游戏"}),
        ("蘋果手機 14", {"苹果", "手机", "14"}),
        ("什么", {"什么"}),
        ("的", {"的"}),
        ("！——！", set()),
        ("", set()),
    ],
)
def test_the_words_of_a_title(title: str, words: set[str]) -> None:
    found = CUTTER.words(title)
    assert set(found) == words
    assert found == sorted(words)


@given(st.text())
def test_any_text_gives_different_words_in_order(title: str) -> None:
    words = CUTTER.words(title)
    assert words == sorted(set(words))
    assert len(words) <= MAX_WORDS
    assert all(word and word == word.lower() for word in words if word.isascii())


def test_a_hostile_token_takes_no_time() -> None:
    # Backtracking over such a run would not end today.
    assert CUTTER.words("ab" * 5_000 + "1c" + "1" * 5_000 + "x")


def test_a_title_is_cut_off_where_no_title_goes_on() -> None:
    numbers = [f"{n}" for n in range(100, 200)]
    assert CUTTER.words(" ".join(numbers)) == numbers[:MAX_WORDS]


def test_own_stop_words_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "stop.txt").write_text("手机\n", encoding="utf-8")
    own = TitleWords(TextSettings(extra_stop_words=tmp_path / "stop.txt"))
    assert own.words("苹果 手机") == ["苹果"]
    sent = pickle.loads(pickle.dumps(own))  # noqa: S301 - our own bytes
    assert sent.words("苹果 手机") == ["苹果"]


@pytest.mark.parametrize("word", ["14", "a7m4", "5.2%", "第三季", "三", "١٤", "十二"])
def test_figures(word: str) -> None:
    assert is_figure(word)


@pytest.mark.parametrize("word", ["手机", "pro", "第", "季", "一带"])
def test_words_that_are_no_figures(word: str) -> None:
    assert not is_figure(word)
