from hypothesis import given
from hypothesis import strategies as st

from streaming.text.clauses import clauses


def test_clauses_end_at_punctuation_of_either_width() -> None:
    text = "央行今日宣布,下调利率!市场反应平稳。(完)"
    assert [clause for clause, _ in clauses(text)] == [
        "央 行 今 日 宣 布",
        "下 调 利 率",
        "市 场 反 应 平 稳",
        "完",
    ]


def test_points_and_commas_inside_figures_do_not_end_a_clause() -> None:
    assert clauses("增长3.5%,达1,234.5亿元") == [("增 长 3 5", 6), ("达 1 234 5 亿 元", 9)]


def test_a_space_parts_chinese_and_joins_english() -> None:
    assert clauses("快讯 股市收盘") == [("快 讯", 2), ("股 市 收 盘", 4)]
    assert clauses("The Bank cut rates, again.") == [("the bank cut rates", 8), ("again", 2)]


@given(st.text())
def test_only_letters_and_digits_are_left(text: str) -> None:
    for clause, size in clauses(text):
        assert clause.replace(" ", "").isalnum()
        assert size > 0
