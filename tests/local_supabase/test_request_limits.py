import asyncio
from collections.abc import Iterator

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from local_supabase.request_limits import (
    MAX_HEADER_BYTES,
    MAX_REST_BODY_BYTES,
    MAX_URL_BYTES,
    BodyTooLargeError,
    RequestLimits,
)

PIECE = b"x" * 1_000_000


def scope_of(path: str = "/rest/v1/users", query: bytes = b"", **headers: str) -> Scope:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "query_string": query, "headers": named}


def body_of(pieces: int) -> Receive:
    rest: Iterator[int] = iter(range(pieces - 1, -1, -1))

    async def receive() -> Message:
        return {"type": "http.request", "body": PIECE, "more_body": next(rest) > 0}

    return receive


class Reader:
    """A service that reads the body of each request."""

    def __init__(self) -> None:
        self.read = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body and answer with 200."""
        while True:
            message = await receive()
            self.read += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def status_of(scope: Scope, pieces: int = 1) -> tuple[int, int]:
    """Return the status and the number of bytes that the service read."""
    sent: list[Message] = []
    service = Reader()

    async def send(message: Message) -> None:
        sent.append(message)

    await RequestLimits(service)(scope, body_of(pieces), send)
    return sent[0]["status"], service.read


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (scope_of(query=b"a" * (MAX_URL_BYTES + 1)), 414),
        (scope_of(path="/" + "a" * MAX_URL_BYTES), 414),
        (scope_of(x_large="a" * (MAX_HEADER_BYTES + 1)), 431),
        (scope_of(content_length=str(MAX_REST_BODY_BYTES + 1)), 413),
        (scope_of(path="/health", content_length="1000001"), 413),
    ],
    ids=["query", "path", "headers", "body", "no service"],
)
async def test_no_service_sees_a_request_beyond_the_limits(scope: Scope, status: int) -> None:
    assert await status_of(scope) == (status, 0)


async def test_a_body_of_unknown_length_is_counted_while_it_is_read() -> None:
    service = Reader()

    async def send(message: Message) -> None:
        raise AssertionError(message)

    with pytest.raises(BodyTooLargeError):
        await RequestLimits(service)(scope_of(), body_of(30), send)
    assert service.read <= MAX_REST_BODY_BYTES


@pytest.mark.parametrize("path", ["/auth/v1/token", "/storage/v1/object/a", "/functions/v1/a"])
async def test_services_with_limits_of_their_own_get_the_whole_body(path: str) -> None:
    assert await status_of(scope_of(path), 20) == (200, 20_000_000)


async def test_a_request_within_the_limits_is_passed_on() -> None:
    assert await status_of(scope_of(query=b"a" * 1000), 10) == (200, 10_000_000)


async def test_the_bodies_of_all_requests_together_are_bounded() -> None:
    served: list[int] = []
    arrived = asyncio.Event()
    released = asyncio.Event()

    async def hold(scope: Scope, receive: Receive, send: Send) -> None:
        """Read a body and keep it until the end of the test."""
        while (await receive())["more_body"]:
            pass
        served.append(1)
        arrived.set()
        await released.wait()

    async def send(message: Message) -> None:
        raise AssertionError(message)

    limits = RequestLimits(hold, held_bytes=12_000_000)
    first = asyncio.create_task(limits(scope_of(), body_of(8), send))
    await arrived.wait()
    with pytest.raises(HTTPException, match="503"):
        await limits(scope_of("/auth/v1/signup"), body_of(8), send)
    released.set()
    await first
    await limits(scope_of(), body_of(8), send)
    assert len(served) == 2
