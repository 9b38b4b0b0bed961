"""What HTTP servers in front of HBase may do to a client, on loopback."""

import socket
import time
from collections.abc import Callable

import pytest

from streaming.errors import StoreError, StoreUnavailable
from tests.store.wire import Servers, client, elapsed

T = "things"


def answering(*parts: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    """Serve every connection with the same bytes, whatever it asks."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    return serve


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n", "HTTP 401.*Kerberos"),
        (b"HTTP/1.1 404 Not Found\r\n", "HTTP 404 Not Found"),
    ],
)
def test_what_a_server_refuses_is_not_asked_again(
    servers: Servers, answer: bytes, words: str
) -> None:
    server = servers(answering(answer + b"Content-Length: 0\r\n\r\n"))
    store = client(server.endpoint, transport="http")
    assert elapsed(store.ping, StoreError, words) < 1
    assert server.accepted == 1
    store.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n",
        b"hello\r\n\r\n",
        b"",
    ],
)
def test_what_is_no_answer_is_asked_again_until_the_deadline(
    servers: Servers, answer: bytes
) -> None:
    server = servers(answering(answer))
    store = client(server.endpoint, transport="http", timeout=0.3, deadline=0.8)
    took = elapsed(lambda: store.rows(T, [b"r"]), StoreUnavailable, "speaks transport=http")
    assert took < 1.5
    assert server.accepted >= 2
    store.close()


@pytest.mark.parametrize(
    "begin", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: "]
)
def test_an_answer_that_trickles_ends_with_the_deadline(servers: Servers, begin: bytes) -> None:
    store = client(
        servers(answering(begin, *[b"x"] * 600, pause=0.05)).endpoint,
        transport="http",
        deadline=1.0,
    )
    assert elapsed(lambda: store.rows(T, [b"r"]), StoreUnavailable, "within 1 s") < 1.6
    store.close()
