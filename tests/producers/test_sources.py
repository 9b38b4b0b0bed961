"""Every source gives the same items in the same order, and says where it breaks."""

import gzip
import io
from itertools import islice
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.records import Record
from producers.sources import Item, open_items, read_json_lines
from producers.texts import split_title
from streaming.errors import SettingsError, SourceError
from streaming.events import Event, EventParser
from streaming.filelog import MAX_VALUE_BYTES, FileLogWriter
from streaming.reasons import Reason

LINES = b'{"id": "1"}\n\n  \r\n{"id": "2"}\r\n{"id": "3"}'


def values(items: list[Item]) -> list[bytes | None]:
    return [item.record.value for item in items if item.record is not None]


def documents(items: list[Item]) -> list[dict[str, str | None]]:
    return [orjson.loads(value) for value in values(items) if value is not None]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.txt"])
def test_json_lines_are_sent_as_they_are_compressed_or_not(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(LINES) if name.endswith(".gz") else LINES)
    items = list(open_items(str(path)))
    assert values(items) == [b'{"id": "1"}', b'{"id": "2"}', b'{"id": "3"}']
    assert [item.where for item in items] == [f"{path}:{line}" for line in (1, 4, 5)]
    assert not any(item.as_is for item in items)


def test_a_byte_order_mark_is_dropped_at_the_beginning_only() -> None:
    items = list(read_json_lines(io.BytesIO(b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n"), "x"))
    assert values(items) == [b"{}", b"\xef\xbb\xbf{}"]


@given(st.lists(st.binary().filter(lambda line: line.strip() and b"\n" not in line)))
def test_any_lines_come_through(lines: list[bytes]) -> None:
    lines = [line.rstrip(b"\r") for line in lines]
    found = values(list(read_json_lines(io.BytesIO(b"\n".join([b"", *lines, b""])), "x")))
    assert found == [line for line in lines if line.strip()]


def test_lines_longer_than_a_message_are_passed_over() -> None:
    long = b"x" * (3 * MAX_VALUE_BYTES + 5)
    fits = b"y" * MAX_VALUE_BYTES
    items = list(read_json_lines(io.BytesIO(b"\n".join([b"1", long, fits, b"2", long])), "x"))
    assert values(items) == [b"1", fits, b"2"]
    problems = [(item.where, item.problem.reason) for item in items if item.problem]
    assert problems == [("x:2", Reason.TOO_LARGE), ("x:5", Reason.TOO_LARGE)]


def test_a_damaged_archive_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": 1}\n' * 1000)[:-20])
    with pytest.raises(SourceError, match=rf"{path}:\d+: the compressed file is damaged"):
        list(open_items(str(path)))


def test_sources_that_are_not_there_are_errors_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        open_items(str(tmp_path / "a.jsonl"))
    with pytest.raises(SettingsError, match="whole number"):
        open_items("newsroom:x")
    with pytest.raises(SourceError, match="holds neither"):
        list(open_items(str(tmp_path)))


def test_a_directory_of_texts(tmp_path: Path) -> None:
    (tmp_path / "体育").mkdir()
    (tmp_path / "财经" / "2006").mkdir(parents=True)
    (tmp_path / "体育" / "1.txt").write_text("标题\n\n正文一\n正文二\n", encoding="utf-8")
    (tmp_path / "体育" / "2.TXT").write_bytes("只有正文".encode("gb18030"))
    (tmp_path / "财经" / "2006" / "3.html").write_text(
        "<html><title> 标题 </title><p>正文</p>", encoding="utf-8-sig"
    )
    (tmp_path / "财经" / "readme.md").write_text("no article", encoding="utf-8")
    (tmp_path / "体育" / "4.txt").write_bytes(b"\xff\xff\xff")
    items = list(open_items(str(tmp_path)))
    assert documents(items) == [
        {"article_id": "1", "channel": "体育", "title": "标题", "body": "正文一\n正文二"},
        {"article_id": "2", "channel": "体育", "title": None, "body": "只有正文"},
        {
            "article_id": "3",
            "channel": "2006",
            "title": "标题",
            "body": "<html><title> 标题 </title><p>正文</p>",
        },
    ]
    problems = [(item.where, item.problem.reason) for item in items if item.problem]
    assert problems == [(str(tmp_path / "体育" / "4.txt"), Reason.NOT_UTF8)]


def test_two_texts_of_one_name_are_refused_or_told_apart_by_path(tmp_path: Path) -> None:
    for channel in ("C000008", "C000010"):
        (tmp_path / channel).mkdir()
        (tmp_path / channel / "10.txt").write_text(f"正文 {channel}", encoding="utf-8")
    with pytest.raises(SourceError, match="--ids path"):
        list(open_items(str(tmp_path)))
    found = documents(list(open_items(str(tmp_path), "path")))
    assert [document["article_id"] for document in found] == ["C000008/10", "C000010/10"]


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("标题\n正文", ("标题", "正文")),
        ("\n 标题 \r\n\r\n正文\n", ("标题", "正文")),
        ("标题", (None, "标题")),
        ("标题\n \n", (None, "标题\n \n")),
        ("长" * 81 + "\n正文", (None, "长" * 81 + "\n正文")),
    ],
)
def test_a_short_first_line_is_the_title(text: str, split: tuple[str | None, str]) -> None:
    assert split_title(text) == split


def test_a_directory_of_json_lines_is_read_in_order_of_name(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"2\n3\n"))
    (tmp_path / "a.jsonl").write_bytes(b"1\n")
    (tmp_path / ".hidden.jsonl").write_bytes(b"0\n")
    assert values(list(open_items(str(tmp_path)))) == [b"1", b"2", b"3"]


@pytest.mark.parametrize("prefix", ["", "file:"])
def test_a_file_log_is_sent_as_it_is(tmp_path: Path, prefix: str) -> None:
    with FileLogWriter(tmp_path, partitions=1) as writer:
        writer.append(b"a", b"\xff", [("h", b"1"), ("n", None)], 7)
        writer.append(b"a", None, (), 8)
    items = list(open_items(f"{prefix}{tmp_path}"))
    assert [item.record for item in items] == [
        Record(b"a", b"\xff", 7, (("h", b"1"), ("n", b""))),
        Record(b"a", None, 8),
    ]
    assert all(item.as_is for item in items)
    assert items[1].where == f"{tmp_path}:0/1"


def test_the_newsroom_is_the_same_for_the_same_seed() -> None:
    channels = ("体育", "财经")
    first, second, other = (
        list(islice(open_items(f"newsroom:{seed}", channels=channels), 200)) for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other
    assert all(item.as_is and item.record is not None for item in first)
    known = [item.truth["article_id"] for item in first if item.truth is not None]
    assert len(set(known)) > 100
    events = [
        EventParser().parse(item.record.value, item.record.key) for item in first if item.record
    ]
    assert {event.channel for event in events if isinstance(event, Event)} >= set(channels)
