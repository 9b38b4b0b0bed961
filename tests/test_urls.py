"""Addresses of logs, and what is said about those that are none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import SettingsError
from streaming.urls import FileUrl, KafkaUrl, LogUrl


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("kafka://127.0.0.1:9092/articles", KafkaUrl(("127.0.0.1:9092",), "articles")),
        ("kafka://a:1,b:65535/t.x_y-z", KafkaUrl(("a:1", "b:65535"), "t.x_y-z")),
        ("KAFKA://broker/articles/", KafkaUrl(("broker:9092",), "articles")),
        ("kafka://[::1]:9092/articles", KafkaUrl(("[::1]:9092",), "articles")),
        ("file:log/", FileUrl(Path("log"))),
        ("file:../a b/日志", FileUrl(Path("../a b/日志"))),
        ("file:/var/log", FileUrl(Path("/var/log"))),
        ("file:///var/a%20b", FileUrl(Path("/var/a b"))),
        ("file://localhost/var", FileUrl(Path("/var"))),
        ("file:a%20b", FileUrl(Path("a%20b"))),
    ],
)
def test_addresses_are_read(text: str, url: KafkaUrl | FileUrl) -> None:
    assert LogUrl.parse(text) == url
    assert LogUrl.parse(str(url)) == url


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "no scheme"),
        ("log/", "no scheme"),
        ("http://a/b", "not a kind of log"),
        ("kafka:a:9092/t", "'//' must follow"),
        ("kafka://a:9092", "names no topic"),
        ("kafka://a:9092/", "names no topic"),
        ("kafka:///t", "not HOST:PORT"),
        ("kafka://a:b/t", "not HOST:PORT"),
        ("kafka://a:1,/t", "not HOST:PORT"),
        ("kafka://a:0/t", "not a port"),
        ("kafka://a:65536/t", "not a port"),
        ("kafka://a:1/t/u", "not a topic name"),
        ("kafka://a:1/文章", "not a topic name"),
        ("kafka://a:1/..", "not a topic name"),
        ("kafka://a:1/" + "t" * 250, "not a topic name"),
        ("file:", "names no directory"),
        ("file://log/x", "write file:log/x"),
        ("file:a\0b", "no NUL"),
    ],
)
def test_what_is_wrong_is_said_with_an_example(text: str, hint: str) -> None:
    with pytest.raises(SettingsError) as raised:
        LogUrl.parse(text)
    assert hint in str(raised.value)


def test_passwords_in_addresses_are_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as raised:
        LogUrl.parse("kafka://user:geheim@broker:9092/articles")
    assert "geheim" not in str(raised.value)
    assert "sasl.jaas.config" in str(raised.value)


@given(st.text() | st.text().map(lambda text: f"kafka://{text}") | st.text().map("file:{}".format))
def test_any_text_is_an_address_or_an_error_of_the_user(text: str) -> None:
    try:
        url = LogUrl.parse(text)
    except SettingsError:
        return
    assert LogUrl.parse(str(url)) == url
