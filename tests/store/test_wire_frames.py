"""How large the HBase client's requests are, on servers that take only so much at once."""

import pytest

from streaming.errors import StoreUnavailable
from streaming.store.contract import Mutation
from tests.store.wire import TOO_LARGE, Servers, client, row

T = "things"


def test_frames_stay_below_what_servers_take(servers: Servers) -> None:
    server = servers(transport="framed", longest_frame=2 << 20)
    store = client(server.endpoint, transport="framed", timeout=10, deadline=60)
    tiny = {b"t%d" % n: {b"%d" % cell: b"" for cell in range(300)} for n in range(300)}
    large = {b"u1": {b"q": bytes(1_000_000)}, b"u2": {b"q": bytes(1_300_000)}}
    for rows in (tiny, large):
        store.mutate(T, [Mutation(key, cells) for key, cells in rows.items()])
        assert store.rows(T, list(rows)) == rows
    long = [b"v%03d" % n + bytes(2_500) for n in range(1_000)]
    store.mutate(T, [Mutation(key, {b"q": b"1"}) for key in long])
    store.delete_rows(T, long)
    assert not list(store.scan(T, b"v"))
    assert not server.occurred
    store.close()


def test_a_frame_that_is_too_large_is_named_and_the_rest_goes_on(servers: Servers) -> None:
    server = servers(transport="framed", longest_frame=10_000)
    store = client(server.endpoint, transport="framed", deadline=1)
    keys = [b"%03d" % n for n in range(300)]
    padded = [b"r", *(key + bytes(100) for key in keys)]
    assert store.rows(T, padded) == row(b"r")
    halvings = server.occurred[TOO_LARGE]
    assert halvings
    with pytest.raises(StoreUnavailable, match=r"rows larger than 2 MB.*max_frame_size_in_mb"):
        store.mutate(T, [Mutation(b"r", {b"q": bytes(10_000)})])
    assert server.occurred[TOO_LARGE] > halvings + 1
    assert store.rows(T, [b"r"]) == row(b"r")
    store.close()
