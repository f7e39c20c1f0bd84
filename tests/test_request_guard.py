"""What the middleware in front of Streamlit's routes lets through."""

from __future__ import annotations

import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from request_guard import RequestGuard, is_same_origin


def _scope(origin: str | None, host: str, scheme: str = "http") -> Scope:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode("latin-1")))
    return {"type": "http", "headers": headers, "scheme": scheme}


@pytest.mark.parametrize(
    ("origin", "scheme", "host"),
    [
        (None, "https", "tavern.example"),
        ("http://localhost:8501", "http", "localhost:8501"),
        ("http://localhost:8501", "ws", "localhost:8501"),
        ("https://tavern.example", "https", "tavern.example"),
        ("https://tavern.example", "wss", "tavern.example:443"),
        ("http://tavern.example", "ws", "tavern.example:80"),
        ("http://[::1]:8501", "ws", "[::1]:8501"),
        ("https://TAVERN.example", "wss", "tavern.example"),
    ],
)
def test_pages_of_this_server_and_programs_may_connect(origin: str | None, scheme: str, host: str) -> None:
    assert is_same_origin(_scope(origin, host, scheme))


@pytest.mark.parametrize(
    ("origin", "scheme", "host"),
    [
        ("http://localhost:3000", "http", "localhost:8501"),
        ("http://localhost", "http", "localhost:8501"),
        ("http://127.0.0.1:8501", "http", "localhost:8501"),
        ("https://evil.example", "https", "tavern.example"),
        ("https://tavern.example.evil.example", "https", "tavern.example"),
        ("https://tavern.example:8443", "https", "tavern.example"),
        ("http://tavern.example", "wss", "tavern.example"),
        ("https://tavern.example", "ws", "tavern.example"),
        ("https://localhost:8501", "ws", "localhost:8501"),
        ("ftp://localhost:8501", "http", "localhost:8501"),
        ("http://evil@localhost:8501", "http", "localhost:8501"),
        ("http://localhost:8501@localhost:8501", "http", "localhost:8501"),
        ("http://localhost:8501/", "http", "localhost:8501"),
        ("http://localhost:8501?", "http", "localhost:8501"),
        ("http://localhost:8501 ", "http", "localhost:8501"),
        ("//localhost:8501", "http", "localhost:8501"),
        ("http://", "http", ""),
        ("null", "http", "tavern.example"),
        ("", "http", "tavern.example"),
        ("http://localhost:port", "http", "localhost:8501"),
        ("http://localhost:99999", "http", "localhost:99999"),
        ("http://localhost:8501", "http", "evil@localhost:8501"),
    ],
)
def test_pages_of_others_may_not(origin: str, scheme: str, host: str) -> None:
    assert not is_same_origin(_scope(origin, host, scheme))


def test_two_origins_are_none() -> None:
    scope = _scope("http://localhost:8501", "localhost:8501")
    scope["headers"].append((b"origin", b"http://localhost:8501"))
    assert not is_same_origin(scope)


def test_a_server_that_knows_its_origin_takes_pages_of_it_only() -> None:
    page, inner = "https://tavern.example", "127.0.0.1:8501"
    assert is_same_origin(_scope(page, inner), page)
    assert not is_same_origin(_scope(f"http://{inner}", inner), page)


async def _ask_after(guard: RequestGuard) -> str:
    """Ask for the server's health; return the seconds after which to ask again."""
    answers: list[Message] = []

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {"type": "http", "path": "/_stcore/health", "method": "GET", "headers": []}
    await guard(scope, asyncio.Event().wait, send)  # type: ignore[arg-type]  # no body is read
    return Headers(raw=answers[0]["headers"])["x-ask-after"]


async def test_all_pages_together_ask_for_the_health_fifty_times_a_second() -> None:
    closed = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await closed.wait()
        else:
            await PlainTextResponse("ok")(scope, receive, send)

    guard = RequestGuard(app)
    assert await _ask_after(guard) == "3"
    page = {"type": "websocket", "path": "/_stcore/stream", "headers": []}
    opened = [guard(page, asyncio.Event().wait, _unsent) for _ in range(1000)]  # type: ignore[arg-type]
    pages = [asyncio.create_task(opening) for opening in opened]
    await asyncio.sleep(0)
    assert await _ask_after(guard) == "20"
    closed.set()
    await asyncio.gather(*pages)
    assert await _ask_after(guard) == "3"


async def _unsent(message: Message) -> None:
    raise AssertionError(message)
