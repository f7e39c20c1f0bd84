"""The recorder finds every request, however the network cuts the bytes."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.recorder import Request, recording
from tests.support.wait import wait_for

REQUESTS = (
    b"POST /rest/v1/users?id=eq.1 HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}"
    b"GET /rest/v1/events HTTP/1.1\r\nHost: here\r\n\r\n"
)
FOUND = [Request("POST", "/rest/v1/users?id=eq.1"), Request("GET", "/rest/v1/events")]


class ReadOnly(socketserver.StreamRequestHandler):
    """Reads what it is sent, and answers nothing."""

    def handle(self) -> None:
        self.rfile.read()


@pytest.fixture
def upstream() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), ReadOnly) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("cut", [1, 7, 40, len(REQUESTS) - 60])
def test_a_request_line_is_found_wherever_it_is_cut(upstream: str, cut: int) -> None:
    with recording(upstream) as recorder:
        address = urlsplit(recorder.url)
        with contextlib.closing(socket.create_connection((address.hostname, address.port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(REQUESTS[:cut])
            wait_for(lambda: recorder.connections, what="the connection")
            connection.sendall(REQUESTS[cut:])
            wait_for(lambda: len(recorder.requests) >= len(FOUND), what="the requests")
    assert recorder.requests == FOUND
    assert [request.is_read for request in recorder.requests] == [False, True]
