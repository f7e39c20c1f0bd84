"""Clients that take their time, to hold the gateway's connections and memory."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.local_supabase.launch import Launched, launched, make_project
from tests.support.wait import wait_for

# The same as the gateway's own, but short.
LIMITS = {
    "LOCAL_SUPABASE_HTTP_HEAD_SECONDS": "1",
    "LOCAL_SUPABASE_HTTP_BODY_SECONDS": "1",
    "LOCAL_SUPABASE_HTTP_ANSWER_SECONDS": "1",
    "LOCAL_SUPABASE_HTTP_CONNECTIONS": "20",
}
TABLE = """
create table public.notes (id int primary key, body text);
insert into public.notes select n, repeat('text ', 2000) from generate_series(1, 900) as n;
grant all on public.notes to anon;
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    folder = tmp_path_factory.mktemp("slow")
    with launched(make_project(folder / "project", TABLE), folder / "data", environment=LIMITS) as running:
        yield running


def connected(stack: Launched, name: str = "SUPABASE_URL") -> socket.socket:
    address = urlsplit(stack.value(name))
    connection = socket.create_connection((address.hostname, address.port))
    connection.settimeout(60)
    return connection


def answer_of(connection: socket.socket) -> bytes:
    """Return everything until the gateway ends the connection in order."""
    answer = b""
    while piece := connection.recv(65_536):
        answer += piece
    return answer


def works(stack: Launched) -> bool:
    headers = {"apikey": stack.value("SUPABASE_KEY")}
    url = f"{stack.value('SUPABASE_URL')}/rest/v1/notes?limit=1&select=id"
    return httpx.get(url, headers=headers, timeout=60).status_code == 200


@pytest.mark.parametrize("name", ["SUPABASE_URL", "MAILBOX_URL"])
def test_a_head_must_arrive_in_time(stack: Launched, name: str) -> None:
    with connected(stack, name) as silent, connected(stack, name) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        assert answer_of(slow).startswith(b"HTTP/1.1 408 ")
        assert answer_of(silent).startswith(b"HTTP/1.1 408 ")


def test_a_head_in_drops_must_arrive_in_time(stack: Launched) -> None:
    def drop() -> bool:
        try:
            connection.sendall(b"x")
        except OSError:
            return True
        return False

    with connected(stack) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        wait_for(drop, what="the end of a connection whose head comes in drops")


def test_a_second_head_must_arrive_in_time(stack: Launched) -> None:
    with connected(stack) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET / HT")
        assert b"HTTP/1.1 408 " in answer_of(connection)


@pytest.mark.parametrize(
    "path", ["/rest/v1/notes", "/auth/v1/signup", "/realtime/v1/api/broadcast", "/storage/v1/object/a/b"]
)
def test_a_body_must_arrive_at_some_pace(stack: Launched, path: str) -> None:
    key = stack.value("SUPABASE_KEY")
    with connected(stack) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\napikey: {key}\r\nAuthorization: Bearer {key}\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 900\r\n\r\n[".encode())
        # What needs no body is answered, for example because it is refused, and then the connection ends.
        assert answer_of(connection).startswith(b"HTTP/1.1 4")


def test_an_answer_must_be_read(stack: Launched) -> None:
    key = stack.value("SUPABASE_KEY")
    gateway = stack.children["gateway"]
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        address = urlsplit(stack.value("SUPABASE_URL"))
        connection.connect((address.hostname, address.port))
        port = connection.getsockname()[1]
        connection.sendall(f"GET /rest/v1/notes HTTP/1.1\r\nHost: a\r\napikey: {key}\r\n\r\n".encode())

        def open_ports() -> set[int]:
            connections = gateway.net_connections()
            return {one.raddr.port for one in connections if one.status == psutil.CONN_ESTABLISHED}

        wait_for(lambda: port in open_ports(), what="the connection")
        wait_for(lambda: port not in open_ports(), what="the end of a connection that is not read")
    assert works(stack)


def test_connections_that_only_wait_keep_nobody_out(stack: Launched) -> None:
    with ExitStack() as opened:
        for _ in range(60):
            connection = opened.enter_context(connected(stack))
            connection.sendall(b"GET / HTTP/1.1\r\n")
        assert works(stack)


def test_busy_connections_keep_to_their_number(stack: Launched) -> None:
    key = stack.value("SUPABASE_KEY")
    request = (
        f"POST /rest/v1/notes HTTP/1.1\r\nHost: a\r\napikey: {key}\r\nContent-Length: 900\r\n\r\n".encode()
    )
    with ExitStack() as opened:
        connections: list[socket.socket] = []
        for _ in range(60):
            connections.append(opened.enter_context(connected(stack)))
            connections[-1].sendall(request)
        answers = {answer_of(connection)[:12] for connection in connections}
    assert answers == {b"HTTP/1.1 503", b"HTTP/1.1 408"}
    wait_for(lambda: works(stack), what="room for a request")
