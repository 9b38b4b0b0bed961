import gzip
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import SettingsError, SourceError
from streaming.offline.catalogues import (
    MAX_LINE_BYTES,
    Refused,
    TitleLine,
    check_catalogue,
    read_line,
)
from streaming.reasons import DETAIL_LIMIT


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"id": "a", "title": "t"}', TitleLine("a", "", "t")),
        (b'{"article_id": "b", "id": "a", "title": "t", "by": "x"}', TitleLine("b", "x", "t")),
        (b'\xef\xbb\xbf{"id": 7, "title": " t ", "by": 4}\r', TitleLine("7", "4", " t ")),
        (b'{"id": "a", "title": "t", "by": null, "body": []}', TitleLine("a", "", "t")),
        (b"", None),
        (b" \r", None),
    ],
)
def test_a_line_is_a_title_or_blank(line: bytes, expected: TitleLine | None) -> None:
    assert read_line(line, "by") == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not_json"),
        (b'{"id": "\xff"}', "not_utf8"),
        (b"[" * 5_000, "too_deep"),
        (b"[1]", "not_object"),
        (b'{"title": "t"}', "no_id"),
        (b'{"id": "", "title": "t"}', "no_id"),
        (b'{"id": true, "title": "t"}', "no_id"),
        (b'{"id": 1.5, "title": "t"}', "no_id"),
        (b'{"id": "a"}', "no_title"),
        (b'{"id": "a", "title": " "}', "no_title"),
        (b'{"id": "a", "title": ["t"]}', "no_title"),
        (b'{"id": "a", "title": "t", "by": []}', "bad_category"),
        (b'{"id": "a", "title": "' + b"t" * MAX_LINE_BYTES + b'"}', "too_long"),
    ],
)
def test_a_line_that_holds_no_title_says_why(line: bytes, reason: str) -> None:
    found = read_line(line, "by")
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert 0 < len(found.detail) <= DETAIL_LIMIT


@given(st.binary())
def test_any_bytes_give_an_answer(line: bytes) -> None:
    read_line(line, "by")


@given(st.text(min_size=1), st.text(), st.text(min_size=1).filter(str.strip))
def test_what_was_written_is_read(name: str, category: str, title: str) -> None:
    line = orjson.dumps({"id": name, "by": category, "title": title})
    assert read_line(line, "by") == TitleLine(name, category, title)


def test_catalogues_that_can_be_read(tmp_path: Path) -> None:
    for name, content in (
        ("a.jsonl", b"{}\n"),
        ("a.jsonl.gz", gzip.compress(b"{}\n")),
        ("empty.jsonl", b""),
        ("empty.jsonl.gz", gzip.compress(b"")),
    ):
        (tmp_path / name).write_bytes(content)
        check_catalogue(tmp_path / name)


def test_catalogues_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(gzip.compress(b"{}\n"))
    (tmp_path / "b.jsonl.gz").write_bytes(b"{}\n")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b"{}\n")[:10])
    with pytest.raises(SettingsError, match=r"must end in \.gz"):
        check_catalogue(tmp_path / "a.jsonl")
    with pytest.raises(SettingsError, match=r"must not end in \.gz"):
        check_catalogue(tmp_path / "b.jsonl.gz")
    with pytest.raises(SourceError, match="cannot be read"):
        check_catalogue(tmp_path / "c.jsonl.gz")
    with pytest.raises(SettingsError, match="there is no such file"):
        check_catalogue(tmp_path)


@pytest.mark.parametrize("name", [".hidden.jsonl", "_left.jsonl", "12:30.jsonl"])
def test_a_name_that_spark_would_pass_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{}\n")
    with pytest.raises(SettingsError, match="rename it"):
        check_catalogue(tmp_path / name)
