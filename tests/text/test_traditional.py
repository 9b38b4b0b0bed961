import pytest

from streaming.text.traditional import Simplifier

SIMPLIFIER = Simplifier()


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("國務院發佈通知", "国务院发布通知"),
        ("乾隆年間的著作", "乾隆年间的著作"),
        ("軟體與網路", "软体与网路"),
    ],
)
def test_traditional_characters_become_simplified_ones(traditional: str, simplified: str) -> None:
    assert SIMPLIFIER.simplify(traditional) == simplified
    assert SIMPLIFIER.simplify(simplified) == simplified


@pytest.mark.parametrize("text", ["", "国务院发布通知", "The Bank cut rates.", "ニュース"])
def test_other_text_is_left_alone(text: str) -> None:
    assert SIMPLIFIER.simplify(text) == text
