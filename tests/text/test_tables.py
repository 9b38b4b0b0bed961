from pathlib import Path

import pytest

from streaming.errors import SettingsError
from streaming.text import tables
from streaming.text.user_words import UserWord


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.txt"


def test_user_words_are_read_as_jieba_reads_them(table: Path) -> None:
    table.write_text(
        "\ufeff云计算 5\n\n# 说明\n李小福 2 nr\n创新办 3 i\n台中\n凱特琳 nz\n"
        "New York 7 n\nＣ＋＋ 4\n",
        encoding="utf-8",
    )
    assert tables.read_user_words(table) == [
        UserWord("云计算", 5),
        UserWord("李小福", 2, "nr"),
        UserWord("创新办", 3, "i"),
        UserWord("台中"),
        UserWord("凱特琳", None, "nz"),
        UserWord("New York", 7, "n"),
        UserWord("C++", 4),
    ]


def test_a_lexicon_gives_words_their_weights(table: Path) -> None:
    table.write_text("# 财经\n降准\t5\nＡＩ \t 2\n行情\t1\r\n", encoding="utf-8")
    assert tables.read_lexicon(table) == {"降准": 5, "ai": 2, "行情": 1}


def test_stop_words_are_one_per_line_in_lower_case(table: Path) -> None:
    table.write_text("此外\n The \n\n此外\n", encoding="utf-8")
    assert tables.read_stop_words(table) == {"此外", "the"}


def test_the_list_that_comes_along_holds_function_words_only() -> None:
    words = tables.read_stop_words(None)
    assert {"我们", "因为", "the"} <= words
    assert all(len(word) > 1 for word in words)
    assert not words & {"中国", "记者", "公司", "发展", "经济"}


def test_document_frequencies_are_positive_numbers(table: Path) -> None:
    table.write_text("降准 9.31\n人民 银行\t3\nAI 1e1\n", encoding="utf-8")
    assert tables.read_idf(table) == {"降准": 9.31, "人民 银行": 3.0, "ai": 10.0}


def test_jiebas_tags_are_read_for_the_kinds_that_are_asked_for() -> None:
    tags = tables.read_jieba_tags({"ns", "t"})
    assert (tags["上海"], tags["昨日"]) == ("ns", "t")
    assert set(tags.values()) == {"ns", "t"}
    assert "新闻" not in tags


def test_jiebas_table_is_whole() -> None:
    table = tables.read_jieba_idf()
    lines = tables.jieba_idf_path().read_text(encoding="utf-8").splitlines()
    assert len(lines) - 1 <= len(table) <= len(lines)
    assert min(table.values()) > 0


@pytest.mark.parametrize(
    ("read", "content", "line", "message"),
    [
        (tables.read_user_words, "云计算 5\n\u200b 3\n", 2, "no word"),
        (tables.read_user_words, "云计算\nＡ 3\n", 2, "'A' alone"),
        (tables.read_lexicon, "降准\t5\n降息 4\n", 2, "word, tab"),
        (tables.read_lexicon, "# 无\n降准\t6\n", 2, "1 to 5"),
        (tables.read_lexicon, "降准\t2.5\n", 1, "1 to 5"),
        (tables.read_lexicon, "\n\u200b\t3\n", 2, "word, tab"),
        (tables.read_lexicon, "降准\t5\n降准\t4\n", 2, "two weights"),
        (tables.read_idf, "降准 9\n降息\n", 2, "positive number"),
        (tables.read_idf, "降准 0\n", 1, "positive number"),
        (tables.read_idf, "降准 nan\n", 1, "positive number"),
        (tables.read_idf, "降准 inf\n", 1, "positive number"),
        (tables.read_idf, "9.3\n", 1, "positive number"),
    ],
)
def test_a_bad_line_is_named(
    table: Path, read: object, content: str, line: int, message: str
) -> None:
    table.write_text(content, encoding="utf-8")
    assert callable(read)
    with pytest.raises(SettingsError) as error:
        read(table)
    assert str(error.value).startswith(f"{table}:{line}: ")
    assert message in str(error.value)


def test_a_table_in_another_encoding_is_named_with_its_line(table: Path) -> None:
    table.write_bytes("此外\n".encode() + "此外\n".encode("gb18030"))
    with pytest.raises(SettingsError, match=r"table\.txt:2: not UTF-8"):
        tables.read_stop_words(table)


def test_a_missing_table_is_named(table: Path) -> None:
    with pytest.raises(SettingsError, match=r"table\.txt: cannot be read: No such file"):
        tables.read_lexicon(table)


def test_an_empty_table_of_frequencies_is_refused(table: Path) -> None:
    table.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="no word in this table"):
        tables.read_idf(table)
