import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streaming.text import normalise as module
from streaming.text.normalise import normalise

CHARACTERS = "<>/&;=\"'! \n\t\rab12图，。ｐ＜＆\u3000\xa0\u0301\u200b\ufeff\ud800\ufe0f\x00é￼"
PIECES = (
    "amp; lt; gt #38; #x26; nbsp nbsp; #60 quot; copy; src=' href= <p> </p> <br/> <b <div <script>"
    " </script> <!-- --> <style <![CDATA[ ]]> <?xml <!DOCTYPE <title> </title> <o:p> <img"
)
MARKUP = st.sampled_from([*CHARACTERS, *PIECES.split()])
HOSTILE = {
    "nested blocks": "<div>" * 100_000 + "x",
    "nested formatting": "<b a=1>" * 60_000 + "<p>" * 60_000,
    "crossed formatting": "<i>" * 60_000 + "</u>" * 60_000,
    "open tags": "<a " * 300_000,
    "open quotes": '<a "' * 200_000,
    "long tag": "<a " + "x " * 300_000 + ">",
    "longer tag": "<a " + "x" * 600_000 + ">",
    "less than": "<" * 1_000_000,
    "ampersands": "&" * 1_000_000,
    "escaped often": "&" + "amp;" * 250_000,
    "escaped inside": "&am" * 100_000 + "p;" * 100_000,
    "comments": "<!--" * 250_000,
    "scripts": "<script>" * 60_000 + "</script>" * 50_000,
    "declarations": "<?xml " * 120_000,
    "character data": "<![CDATA[" * 80_000,
    "spaces": " " * 1_000_000,
    "lines": "\n \n" * 300_000,
    "marks": "a" + "\u0301\u0327" * 300_000,
    "folded marks": "\u0344" * 300_000,
    "expanding": "\ufdfa" * 50_000,
    "surrogates": "\ud800" * 800_000,
}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ＡＢＣ１２３，（％）", "ABC123,(%)"),
        ("a\u3000\xa0\t b", "a b"),
        (" 一行 \r\n\r\n 二行\u2028三行\x0b ", "一行\n二行\n三行"),
        ("零\u200b宽\ufeff软\xad连\u202e字\ufe0f\x07", "零宽软连字"),
        ("<p>第一段</p><p>第二段<br>第三行</p>", "第一段\n第二段\n第三行"),
        ("甲<b>乙</b><a href='x'>丙</a>", "甲乙丙"),
        ("甲&nbsp1&nbsp;乙", "甲 1 乙"),
        ("&#8226;&ouml;&#x4e2d;&lt;&gt;", "•ö中<>"),
        ("文<img src=\"http://a/b.jpg\" alt='y' / >字", "文字"),
        ('文<img src="http://a/b.jpg>字', "文字"),
        ("文<img src=a.jpg <b>字</b>", "文字"),
        ("文字<img src='http://a", "文字"),
        ("<script>if(a<b && x=='</p>'){}</script>文<style>p{}</style>字", "文字"),
        ("文<!-- 注 <p> -->字", "文字"),
        ("<title>题</title><iframe>x</iframe>文", "文"),
        ("文<script>字", "文字"),
        ("文<!-- 字", "文<!-- 字"),
        ("<!DOCTYPE html><?xml version='1.0'?><html><body>文</body></html>", "文"),
        ("<![CDATA[<p>文</p>]]>", "文"),
        ("&lt;p&gt;一&lt;/p&gt;&amp;amp;nbsp;二", "一\n二"),
        ("<o:p>文</o:p><td nowrap>字", "文\n字"),
        ("\ud83d文\udc00", "文"),
        ("", ""),
        ("<p></p>", ""),
    ],
)
def test_markup_and_forms_are_unified(text: str, plain: str) -> None:
    assert normalise(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "3<5 & 5>3",
        "AT&T, R&B, a&b;",
        "<流浪地球2>与<儒林外史>",
        "List<String> a<b and c>d",
        "<link between A and B>",
        "x &copy=1&sect=2",
        "if a < b && b > c",
        "</ 没有名字>",
        "<<<>>>",
        "a<b",
        "完<",
        "完&",
    ],
)
def test_plain_text_survives(text: str) -> None:
    assert normalise(text) == text


def test_text_without_markup_never_reaches_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(_: str) -> None:
        raise AssertionError

    monkeypatch.setattr(module, "LexborHTMLParser", parse)
    assert normalise("没有 标记，AT&T 3<5") == "没有 标记,AT&T 3<5"
    with pytest.raises(AssertionError):
        normalise("有&nbsp;标记")


@given(st.one_of(st.text(), st.lists(MARKUP, max_size=16).map("".join)))
@example("&am&#112;;lt;p>")
@example("a\u200b\u0301")
@example("<" * 20 + "p>" * 20)
@example("&a" * 12 + "mp;" * 12)
def test_normal_text_stays_as_it_is(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain
    plain.encode()
    assert unicodedata.is_normalized("NFKC", plain)
    assert plain == "\n".join(" ".join(line.split()) for line in plain.splitlines() if line)


USUAL = st.sampled_from("a中，。 \n\u3000\r\u2028\x1f\u200bＡ％①Å…ｶﾞ")
ORDINARY = st.text(st.one_of(USUAL, st.characters()))


@given(ORDINARY)
def test_the_quick_way_gives_what_the_careful_one_does(text: str) -> None:
    assert module._plain(text) == module._plain_of_any(text)


def test_every_character_is_folded_alike_both_ways() -> None:
    for code in range(0x30100):
        text = f"a {chr(code)}b"
        assert module._plain(text) == module._plain_of_any(text)


@given(st.lists(MARKUP, max_size=12).map("".join))
def test_width_does_not_matter(text: str) -> None:
    assert normalise(unicodedata.normalize("NFKC", text)) == normalise(text)


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_in_proportion_to_length(name: str) -> None:
    text = HOSTILE[name]

    def took(text: str) -> float:
        begin = time.process_time()
        normalise(text)
        return time.process_time() - begin

    # A quadratic step would take 64 times as long for 8 times the text; and minutes.
    small = min(took(text[: len(text) // 8]) for _ in range(3))
    assert took(text) < 30 * small + 0.5


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_what_was_escaped_repeatedly_is_decoded(depth: int) -> None:
    assert normalise("&" * (depth + 1) + "&#" + "35;" * depth + "108;t;p>文") == "文"


def test_escapes_nested_on_purpose_come_to_an_end() -> None:
    plain = normalise("&" * 500 + "&#" + "35;" * 500 + "108;t;p>文")
    assert "&" not in plain
    assert "文" in plain
    assert normalise(plain) == plain
