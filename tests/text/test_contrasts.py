from pathlib import Path

import pytest

from streaming.text.contrasts import TAGS, Contrasts
from streaming.text.loading import load_contrasts
from streaming.text.settings import TextSettings

TAGGED = {
    "沈阳": "ns",
    "广东": "ns",
    "广东省": "ns",
    "中国": "ns",
    "下": "f",
    "一": "m",
    "昨日": "t",
}


def find(*words: str) -> list[tuple[str, str]]:
    return Contrasts(TAGGED).find(words)[:-1]


def test_names_times_and_sides_contrast_with_their_kind() -> None:
    assert find("昨日", "沈阳", "河", "下") == [("昨日", "time"), ("沈阳", "name"), ("下", "side")]


def test_a_word_contrasts_once() -> None:
    assert find("沈阳", "沈阳", "闭幕", "结束") == [("沈阳", "name"), ("结束", "stage")]


def test_parts_of_words_and_the_name_of_the_country_do_not() -> None:
    assert find("一", "中国", "新闻") == []


def test_a_place_is_the_same_with_the_word_for_its_kind() -> None:
    assert find("广东省") == find("广东")


@pytest.mark.parametrize(
    ("word", "contrast"),
    [
        ("开幕", [("开始", "stage")]),
        ("圆满结束", [("结束", "stage")]),
        ("半决赛", [("半决赛", "round")]),
        ("公开赛", []),
        ("外国总统", []),
        ("举行", []),
    ],
)
def test_words_for_a_stage_are_found_by_what_they_say(
    word: str, contrast: list[tuple[str, str]]
) -> None:
    assert find(word) == contrast


def test_a_headline_announces_or_reports() -> None:
    announced, reported = (Contrasts({}).find([*each, "会见"])[-1] for each in (["将"], []))
    assert (announced, reported) == (("announced", "tense"), ("reported", "tense"))
    assert Contrasts({}).find(["即将", "会见"]) == [announced]


def test_a_user_dictionary_says_what_a_word_is_over_jieba(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("新晋主播 5 nr\n沈阳 5 n\n上海 5\n", encoding="utf-8")
    found = load_contrasts(TextSettings(user_dictionaries=(words,))).find(
        ["新晋主播", "沈阳", "上海", "大连"]
    )
    assert found[:-1] == [("新晋主播", "name"), ("上海", "name"), ("大连", "name")]


def test_the_tags_of_interest_are_jiebas() -> None:
    assert {"ns", "nr", "nt", "t"} <= TAGS
