"""A letter on a terminal: everything is told, and nothing in it acts on the terminal."""

import unicodedata

import orjson
from hypothesis import given
from hypothesis import strategies as st

from streaming import letterview
from streaming.deadletters import DeadLetter, Entry, Headers, Replayed
from streaming.position import encode

BODY = "机密正文"


def entry(
    value: bytes | None = BODY.encode(),
    key: bytes | None = b"a-1",
    headers: Headers = (),
    replayed: Replayed | None = None,
    moment: int = 1_767_571_200_123,
) -> Entry:
    position = encode(moment, "articles", 2, 41)
    return Entry(
        DeadLetter(position, "enrich", "schema", "channel: is required", key, value, headers),
        replayed,
    )


def test_a_line_tells_everything_but_the_value() -> None:
    assert letterview.summary(entry()) == (
        "articles/2/41  2026-01-05T00:00:00.123Z  schema  enrich  channel: is required"
        "  12 bytes  not replayed"
    )
    line = letterview.summary(entry(None, replayed=Replayed("kafka://h:1/t", 1_767_571_200_000)))
    assert line.endswith("  null  replayed 2026-01-05T00:00:00.000Z to kafka://h:1/t")


def test_fields_are_json_without_the_value() -> None:
    fields = letterview.fields(entry(replayed=Replayed("file:log", 5)))
    assert fields == {
        "place": "articles/2/41", "topic": "articles", "partition": 2, "offset": 41,
        "timestamp": 1_767_571_200_123, "reason": "schema", "stage": "enrich",
        "detail": "channel: is required", "size": 12, "replayed": {"to": "file:log", "at": 5},
    }  # fmt: skip
    assert BODY not in orjson.dumps(fields).decode()
    bare = letterview.fields(entry(None))
    assert (bare["size"], bare["replayed"]) == (None, None)


def test_a_page_has_key_headers_and_text() -> None:
    page = "\n".join(
        letterview.page(
            entry(
                "标题\n\t正文\r\x1b[2J\x9b\u202e\ufeff".encode(), headers=(("h", b"1"), ("n", None))
            )
        )
    )
    assert "key        a-1" in page
    assert "header     h: 1\nheader     n: null\n" in page
    assert page.endswith("\n\n标题\n\t正文\\x0d\\x1b[2J\\x9b\\u202e\\ufeff")


def test_bytes_that_are_no_text_are_shown_in_hexadecimal() -> None:
    lines = list(letterview.page(entry(b"\xff\x00AB" + bytes(16), b"\xfe")))
    assert "key        hex fe" in lines
    assert lines[-2].startswith("00000000  ff 00 41 42 00")
    assert lines[-2].endswith("..AB............")
    assert lines[-1].startswith("00000010  00 00 00 00  ")
    long = list(letterview.page(entry(b"\xff" * 600)))
    assert long[-1] == "... and 88 bytes more; --raw writes them all"
    assert sum(line.count("ff") for line in long) == 512


def test_values_of_nothing_are_told_apart() -> None:
    assert list(letterview.page(entry(None)))[-1] == "value      null"
    assert list(letterview.page(entry(b"")))[-1] == "value      0 bytes"


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_nothing_that_a_terminal_acts_on_gets_through(text: str) -> None:
    seen = letterview.visible(text)
    assert seen.encode().decode() == seen
    acting = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert not acting & {unicodedata.category(each) for each in seen}
    assert text == seen or len(seen) > len(text)


@given(st.none() | st.binary(max_size=60), st.none() | st.binary(max_size=9))
def test_any_letter_can_be_shown(value: bytes | None, key: bytes | None) -> None:
    shown = entry(value, key, headers=(("h\x1b", value),))
    text = "\n".join(letterview.page(shown)) + letterview.summary(shown)
    assert "\x1b" not in text
    assert text.encode().decode() == text
