"""Every way in which HBase's Thrift servers speak, and several of them, on the real thing."""

import inspect
import io
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import thriftpy2

from streaming.errors import StoreError, StoreUnavailable
from streaming.stack.stack import LocalStack
from streaming.store.contract import Mutation, TableSpec
from streaming.store.hbase import HBaseStore
from streaming.store.hbase_connection import Caller, ThriftSettings
from streaming.store.sockets import Endpoint
from streaming.store.statistics import OperationStatistics
from streaming.store.urls import open_store
from tests.certificates import Authority
from tests.store import test_contract
from tests.store.thrifts import HTTP, Running, Way, https, running

T = "things"
SPEC = TableSpec(T, family="similar")
# A row of the contract is larger than the 2 MB that framed servers take by themselves.
FRAMED = {
    "hbase.regionserver.thrift.framed": "true",
    "hbase.regionserver.thrift.framed.max_frame_size_in_mb": "8",
}
COMPACT = {"hbase.regionserver.thrift.compact": "true"}
NAMES = ("framed", "compact", "framed compact", "http", "https")
# What HBase does with a deletion does not depend on how it was told.
_ELSEWHERE = ("table", "expire", "ping", "closed", "threads", "after_a_delete")
ABOUT_ROWS = [
    test
    for name, test in vars(test_contract).items()
    if name.startswith("test_")
    and list(inspect.signature(test).parameters) == ["store"]
    and not any(word in name for word in _ELSEWHERE)
]
A_FEW = [
    test_contract.test_any_bytes_are_allowed_in_keys_qualifiers_and_values,
    test_contract.test_many_large_rows,
    test_contract.test_scan_bounds,
    test_contract.test_compare_and_put,
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def servers(
    stack: LocalStack, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Running]]:
    trusting = f"transport=https&ca={authority.file}"
    ways = {
        "framed": Way(FRAMED, "transport=framed"),
        "compact": Way(COMPACT, "protocol=compact"),
        "framed compact": Way(FRAMED | COMPACT, "transport=framed&protocol=compact"),
        "http": Way(HTTP, "transport=http"),
        "https": Way(https(authority, "thrift"), trusting),
        "admin in https": Way(https(authority, "admin"), trusting, tables=True),
    }
    with running(stack, tmp_path_factory.mktemp("thrifts"), ways) as begun:
        yield begun


@pytest.fixture
def prefix(stack: LocalStack) -> Iterator[str]:
    """The name of a table of a test's own, made through the session's servers."""
    name = f"t{uuid4().hex[:12]}_"
    plain = open_store(f"hbase://{stack.hbase}/test?admin=none&compression=none", name)
    plain.ensure_tables([SPEC])
    yield name
    plain.drop_tables([SPEC])
    plain.close()


def opened(url: str, prefix: str = "") -> HBaseStore:
    store = open_store(url, prefix)
    assert isinstance(store, HBaseStore)
    return store


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_holds_however_a_server_speaks(
    servers: dict[str, Running], name: str, prefix: str
) -> None:
    store = opened(servers[name].url(), prefix)
    assert len(ABOUT_ROWS) >= 14
    # Framed and compact apart are parts of what is tested together.
    for test in A_FEW if name in {"framed", "compact"} else ABOUT_ROWS:
        store.delete_rows(T, [row for row, _ in store.scan(T, keys_only=True)])
        test(store)
    assert sum(each.retries for each in store.statistics().values()) == 0
    store.close()


def test_what_nobody_used_for_long_is_opened_again(
    servers: dict[str, Running], prefix: str
) -> None:
    for name in ("http", "https"):
        store = opened(servers[name].url(), prefix)
        store.mutate(T, [Mutation(b"r", {b"q": b"1"})])
        (pool,) = store._caller._pools.values()
        (connection,) = pool._idle
        assert connection.fresh()
        for _ in range(3):
            store.rows(T, [b"r"])
        assert pool._idle == [connection], "a connection is kept"
        connection.used -= 26
        assert store.rows(T, [b"r"]) == {b"r": {b"q": b"1"}}
        assert pool._idle != [connection]
        store.close()


def test_tables_are_made_through_tls(servers: dict[str, Running]) -> None:
    admin = servers["admin in https"].address
    store = opened(servers["https"].url(f"admin={admin}&regions=2"), f"t{uuid4().hex[:12]}_")
    store.ensure_tables([TableSpec("made")])
    assert store.missing_tables([TableSpec("made")]) == []
    store.drop_tables([TableSpec("made")])
    store.close()


def test_tables_may_have_a_namespace_of_their_own(stack: LocalStack) -> None:
    name, spec = f"ns{uuid4().hex[:8]}", TableSpec("inside")
    url = f"hbase://{stack.hbase}/test?admin={stack.admin}&regions=2&namespace={name}"
    store = opened(url)
    with pytest.raises(StoreError, match="`create_namespace` it in the HBase shell"):
        store.ensure_tables([spec])
    _create_namespace(stack, name)
    store.ensure_tables([spec])
    store.mutate("inside", [Mutation(b"r", {b"q": b"1"})])
    assert store.rows("inside", [b"r"]) == {b"r": {b"q": b"1"}}
    assert dict(store.scan("inside")) == {b"r": {b"q": b"1"}}
    assert f"{name}:test_inside" in store._tables.existing()
    plain = opened(f"hbase://{stack.hbase}/test?admin={stack.admin}&regions=2")
    assert plain.missing_tables([spec]) == [spec.name]
    store.drop_tables([spec])
    store.close()
    plain.close()


NAMESPACES = """
struct TNamespaceDescriptor { 1: required string name }
service THBaseService { void createNamespace(1: required TNamespaceDescriptor namespaceDesc) }
"""


def _create_namespace(stack: LocalStack, name: str) -> None:
    host, port = stack.admin.split(":")
    service: Any = thriftpy2.load_fp(io.StringIO(NAMESPACES), "namespaces_thrift")
    caller = Caller(service.THBaseService, ThriftSettings((Endpoint(host, int(port)),)), "test")
    described = service.TNamespaceDescriptor(name=name)
    caller.call("namespace", lambda it, _: it.createNamespace(described), OperationStatistics())
    caller.close()


# --- what does not fit -------------------------------------------------------------------------


def test_a_certificate_that_cannot_be_trusted_is_told_at_once(
    servers: dict[str, Running], tmp_path: Path
) -> None:
    address = servers["https"].address
    stranger = Authority(tmp_path, "stranger").file
    for host, authority, words in (
        (address, stranger, "self-signed certificate in certificate chain; see .ca=FILE"),
        (address, None, "self-signed certificate in certificate chain; see .ca=FILE"),
        (
            address.replace("127.0.0.1", "localhost"),
            servers["https"].options.partition("ca=")[2],
            "certificate is not valid for 'localhost'",
        ),
    ):
        option = f"&ca={authority}" if authority else ""
        store = opened(f"hbase://{host}/test?transport=https{option}")
        began = time.monotonic()
        with pytest.raises(StoreError, match=words) as raised:
            store.ping()
        assert not isinstance(raised.value, StoreUnavailable)
        assert time.monotonic() - began < 3
        store.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("framed", "transport=buffered"),
        ("http", "transport=buffered"),
        ("http", "transport=https"),
        ("https", "transport=http"),
        ("https", "transport=framed"),
        ("compact", "transport=http"),
    ],
)
def test_another_way_of_speaking_is_told_within_the_timeout(
    servers: dict[str, Running], name: str, options: str
) -> None:
    store = opened(f"hbase://{servers[name].address}/test?{options}&timeout=2s")
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"speaks transport=|HTTP 4"):
        store.ping()
    assert time.monotonic() - began < 4
    store.close()


# --- several servers ---------------------------------------------------------------------------


@pytest.fixture
def both(
    stack: LocalStack, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Running, Running]]:
    properties, options = request.param
    ways = {name: Way(properties, options) for name in ("one", "other")}
    with running(stack, tmp_path, ways) as begun:
        yield begun["one"], begun["other"]


@pytest.mark.parametrize(
    "both", [({}, ""), (HTTP, "transport=http")], indirect=True, ids=["sockets", "http"]
)
def test_work_reaches_both_servers_and_goes_on_when_one_is_killed(
    both: tuple[Running, Running], prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = both
    url = one.url().replace(one.address, f"{one.address},{other.address}")
    store = opened(url, prefix)
    calls: Counter[str] = Counter()
    worked = store._caller._servers.worked

    def count(server: Endpoint) -> None:
        calls[str(server)] += 1
        worked(server)

    monkeypatch.setattr(store._caller._servers, "worked", count)
    written: list[int] = []
    failures: list[Exception] = []
    ending = threading.Event()

    def work(first: int) -> None:
        number = first
        while not ending.is_set():
            try:
                store.mutate(T, [Mutation(b"%d" % number, {b"q": b"%d" % number})])
                assert store.rows(T, [b"%d" % number]) == {b"%d" % number: {b"q": b"%d" % number}}
            except Exception as error:  # noqa: BLE001 - shown by the test
                failures.append(error)
                return
            written.append(number)
            number += 2

    def wait_for(count: int) -> None:
        until = time.monotonic() + 30
        while len(written) < count and not failures:
            assert time.monotonic() < until, "the work has come to a halt"
            time.sleep(0.01)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        wait_for(200)
        assert set(calls) == {one.address, other.address}
        assert max(calls.values()) < 1.5 * min(calls.values())
        one.supervisor.kill(signal.SIGKILL)
        before = len(written)
        wait_for(before + 200)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert failures == []
    found = {row for row, _ in store.scan(T, keys_only=True)}
    assert found == {b"%d" % number for number in written}
    assert 0 < sum(each.retries for each in store.statistics().values()) < 20
    store.close()
