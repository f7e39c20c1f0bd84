import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from local_supabase import forward
from local_supabase.forward import Forwarder
from local_supabase.handover import Giver, Taker, channel
from local_supabase.service_health import ServiceHealth
from local_supabase.stack.runtime import StackInfo

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nX-Note: kept\r\nConnection: close\r\n\r\nok"


class Upstream(asyncio.Protocol):
    """Answers every request with the same bytes, and closes the connection; without bytes it stays silent."""

    requests: list[bytes]
    answer: bytes | None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.requests.append(data)
        if self.answer is not None:
            self._transport.write(self.answer)
            self._transport.close()


@contextmanager
def forwarding(answer: bytes | None) -> Iterator[tuple[Forwarder, list[bytes]]]:
    """Return what forwards to an upstream with this answer, and what arrives there."""
    giving, taking = channel()
    requests: list[bytes] = []
    upstream = type("Answering", (Upstream,), {"requests": requests, "answer": answer})
    taker = Taker(taking, lambda _: upstream())
    taker.start()
    with giving, taking:
        yield Forwarder(Giver(giving)), requests
        taker.stop()


def request_of(body: bytes = b"", method: str = "POST") -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"host", b"a"), (b"apikey", b"key"), (b"transfer-encoding", b"chunked"), (b"expect", b"x")]
    scope = {
        "type": "http",
        "method": method,
        "path": "/realtime/v1/a b",
        "raw_path": b"/realtime/v1/a%20b",
        "query_string": b"private=true",
        "headers": headers,
    }
    return Request(scope, receive)


async def test_a_request_and_its_answer_pass_through() -> None:
    with forwarding(ANSWER) as (forwarder, requests):
        response = await forwarder.forward(request_of(b"{}"))
    head, _, body = b"".join(requests).partition(b"\r\n\r\n")
    assert head.splitlines()[0] == b"POST /realtime/v1/a%20b?private=true HTTP/1.1"
    assert sorted(line.lower() for line in head.splitlines()[1:]) == [
        b"apikey: key",
        b"content-length: 2",
        b"host: a",
    ]
    assert body == b"{}"
    assert (response.status_code, response.body) == (202, b"ok")
    assert dict(response.headers) == {"content-length": "2", "x-note": "kept"}


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"nonsense\r\n\r\n"]
)
async def test_an_answer_that_breaks_off_is_a_bad_gateway(answer: bytes) -> None:
    with forwarding(answer) as (forwarder, _):
        assert (await forwarder.forward(request_of())).status_code == 502
        assert await forwarder.health() is ServiceHealth.SILENT


async def test_no_answer_is_a_gateway_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(forward, "_HEALTH_SECONDS", 0.05)
    with forwarding(None) as (forwarder, _):
        assert (await forwarder.forward(request_of())).status_code == 504
        assert await forwarder.health() is ServiceHealth.SILENT


async def test_the_health_is_what_the_other_process_says() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\ndid not start"
    with forwarding(answer) as (forwarder, _):
        assert await forwarder.health() is ServiceHealth.FAILED


def test_realtime_answers_through_the_gateway_like_any_service(stack: StackInfo) -> None:
    url = f"{stack.url}/realtime/v1/api/broadcast"
    body = {"messages": [{"topic": "a", "event": "b", "payload": {}}]}
    # One connection for several services.
    with httpx.Client(headers={"apikey": stack.anon_key}) as client:
        answers = [
            client.post(url, json=body),
            client.get(f"{stack.url}/rest/v1/users?limit=1"),
            client.post(url, content=iter([b'{"messages"', b": []}"])),
            client.get(url),
            client.get(f"{stack.url}/realtime/v1/nothing"),
        ]
    assert [answer.status_code for answer in answers] == [202, 200, 202, 405, 404]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}
    assert httpx.post(url, json=body).status_code == 401
