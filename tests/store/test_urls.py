"""Addresses of stores."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import LeitongError, SettingsError
from streaming.store.hbase import HBaseStore
from streaming.store.memory import MemoryStore
from streaming.store.sockets import Endpoint
from streaming.store.sqlite import SQLiteStore
from streaming.store.urls import absolute_url, open_store


def test_each_scheme_has_its_backend_and_one_object_per_address() -> None:
    assert isinstance(open_store("memory:urls"), MemoryStore)
    assert isinstance(open_store("sqlite:x.db"), SQLiteStore)
    assert isinstance(open_store("hbase://h/p"), HBaseStore)
    assert open_store("memory:urls", "a_") is open_store("memory:urls", "a_")
    assert open_store("memory:urls", "a_") is not open_store("memory:urls", "b_")


def test_a_forked_process_opens_its_own() -> None:
    mine = open_store("memory:forked")
    pid = os.fork()
    if pid == 0:
        os._exit(0 if open_store("memory:forked") is not mine else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_hbase_options() -> None:
    store = open_store(
        "hbase://a:1,[::1]:2,c/news?transport=framed&protocol=compact&timeout=500ms&deadline=2m"
        "&namespace=ns&regions=4&compression=gz&admin=d:3",
        "main_",
    )
    assert isinstance(store, HBaseStore)
    settings = store._settings
    assert settings.thrift.endpoints == (Endpoint("a", 1), Endpoint("::1", 2), Endpoint("c", 9090))
    assert (settings.thrift.transport, settings.thrift.protocol) == ("framed", "compact")
    assert (settings.thrift.timeout, settings.thrift.deadline) == (0.5, 120.0)
    assert (settings.regions, settings.compression) == (4, "GZ")
    assert settings.admin == Endpoint("d", 3)
    assert store._tables.physical("article") == "ns:news_main_article"
    plain = open_store("hbase://a/news", "main_")
    assert isinstance(plain, HBaseStore)
    assert plain._tables.physical("article") == "news_main_article"


def test_sqlite_options_and_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store("sqlite:x.db?timeout=1s&synchronous=full")
    assert isinstance(store, SQLiteStore)
    assert (store._settings.timeout, store._settings.synchronous) == (1.0, "full")
    monkeypatch.chdir(tmp_path)
    assert absolute_url("sqlite:x.db?timeout=1s") == f"sqlite:{tmp_path}/x.db?timeout=1s"
    assert absolute_url("sqlite:///var/x.db") == "sqlite:/var/x.db"
    assert absolute_url("hbase://h/p") == "hbase://h/p"
    secured = "hbase://h/p?transport=https&ca={}ca.pem&regions=2"
    assert absolute_url(secured.format("")) == secured.format(f"{tmp_path}/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("leitong.db", "no scheme"),
        ("redis://h", "not a kind of store"),
        ("sqlite:", "names no file"),
        ("hbase:h/p", "'//' must follow"),
        ("hbase://h:9090", "needs a prefix"),
        ("hbase://h:9090/a:b", "needs a prefix"),
        ("hbase://h:99999/p", "not a port"),
        ("hbase://h h/p", "not HOST:PORT"),
        ("hbase://h/p?timout=3s", "did you mean 'timeout'"),
        ("hbase://h/p?timeout=3", "no duration"),
        ("hbase://h/p?timeout=0s", "longer than nothing"),
        ("hbase://h/p?regions=999", "from 1 to 256"),
        ("hbase://h/p?transport=smtp", "none of buffered, framed, http, https"),
        ("hbase://h/p?transport=http&protocol=compact", "no protocol=compact in HTTP"),
        ("hbase://h/p?transport=framed&ca=ca.pem", "is for transport=https"),
        ("hbase://h/p?transport=https&ca=/nowhere.pem", "/nowhere.pem cannot be used"),
        ("hbase://h/p?admin=", "not HOST:PORT"),
        ("sqlite:x?deadline=3s", "no option 'deadline'"),
        ("sqlite:x?timeout", "no '=VALUE'"),
        ("memory:x?timeout=3s", "it takes none"),
    ],
)
def test_mistakes_are_named(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        open_store(url)


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        open_store("hbase://me:sesame@h:9090/p")
    assert "sesame" not in str(refused.value)


def test_a_prefix_has_to_suit_table_names() -> None:
    with pytest.raises(SettingsError, match="cannot begin table names"):
        open_store("memory:x", "a b")


@given(st.text(), st.sampled_from(["", "hbase://", "hbase://h/p?", "memory:x?", "sqlite:x?"]))
def test_any_text_opens_or_is_refused_with_a_sentence(text: str, start: str) -> None:
    with suppress(LeitongError):  # anything else would be ours
        open_store(start + text)
