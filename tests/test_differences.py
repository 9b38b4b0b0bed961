"""Two texts laid side by side: nothing is lost, and what is told can be read."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streaming.differences import Change, Passage, difference

SAME, REMOVED, ADDED = Change
TEXTS = st.text(st.sampled_from("天地人，。 \nab1"), max_size=60) | st.text(max_size=60)
LONG = st.builds(
    lambda seed, alphabet: "".join(random.Random(seed).choices(alphabet, k=1_500)),
    st.integers(0, 99),
    st.sampled_from(("，。", "a，", "天地人，", "天地玄黄宇宙洪荒，")),
)


def of(passages: list[Passage], *changes: Change) -> str:
    return "".join(each.text for each in passages if each.change in changes)


def shown(old: str, new: str) -> list[tuple[str, str]]:
    return [(each.change.value, each.text) for each in difference(old, new)]


@given(TEXTS | LONG, TEXTS | LONG)
def test_the_passages_make_up_both_texts(old: str, new: str) -> None:
    passages = difference(old, new)
    assert of(passages, SAME, REMOVED) == old
    assert of(passages, SAME, ADDED) == new
    assert all(each.text for each in passages)
    changes = [each.change for each in passages]
    assert all(one != other for one, other in pairwise(changes))
    assert (ADDED, REMOVED) not in pairwise(changes)


@given(LONG, st.data())
def test_what_was_put_in_is_all_that_differs(text: str, data: st.DataObject) -> None:
    text = text.replace("a", "甲")
    place = data.draw(st.integers(0, len(text)))
    passages = difference(text, text[:place] + "新增" + text[place:])
    assert of(passages, REMOVED) == ""
    assert of(passages, ADDED) == "新增"


def test_clauses_are_aligned_before_words() -> None:
    assert shown("记者今天报道，雨。", "记者昨天报道，大雨。") == [
        ("same", "记者"),
        ("removed", "今"),
        ("added", "昨"),
        ("same", "天报道，"),
        ("added", "大"),
        ("same", "雨。"),
    ]
    assert shown("甲方说好，乙方不说，丙。", "乙方不说，甲方说好，丙。") == [
        ("added", "乙方不说，"),
        ("same", "甲方说好，"),
        ("removed", "乙方不说，"),
        ("same", "丙。"),
    ]


def test_figures_and_words_of_letters_are_whole() -> None:
    assert shown("增长12.5%，Python 3", "增长12.8%，PyPy 3") == [
        ("same", "增长12."),
        ("removed", "5"),
        ("added", "8"),
        ("same", "%，"),
        ("removed", "Python"),
        ("added", "PyPy"),
        ("same", " 3"),
    ]


def test_a_rewritten_clause_is_not_shown_as_crumbs() -> None:
    assert shown("开头，今天天气很好呀，结尾", "开头，明天股市大涨了，结尾") == [
        ("same", "开头，"),
        ("removed", "今天天气很好呀，"),
        ("added", "明天股市大涨了，"),
        ("same", "结尾"),
    ]


def test_long_texts_that_changed_in_every_clause_are_still_aligned() -> None:
    rng = random.Random(4)
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 2_000)]
    clauses = ["".join(rng.choices(letters, k=14)) for _ in range(1_400)]
    edited = [each[:7] + rng.choice(letters) + each[8:] for each in clauses]
    passages = difference("，".join(clauses), "，".join(edited))
    assert len(of(passages, SAME)) > 0.9 * len("，".join(clauses))


def test_texts_that_repeat_themselves_are_still_answered() -> None:
    """Each of these is what makes `difflib` alone take minutes."""
    rng = random.Random(5)
    for alphabet in ("哈，", "哈嘿", "哈嘿，。", "ab，", "01 "):
        old, new = ("".join(rng.choices(alphabet, k=20_000)) for _ in range(2))
        passages = difference(old, new)
        assert of(passages, SAME, REMOVED) == old
        assert of(passages, SAME, ADDED) == new
