"""Hedged requests: a request without an answer is sent again while the first one stays open."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from livetables.feed.hedge import MAX_ATTEMPTS, hedged
from tests.support.wait import wait_until


class Server:
    """Answers the request with this number, and no other."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.seen: Counter[str] = Counter()

    async def request(self) -> str:
        self.seen["sent"] += 1
        number = self.seen["sent"]
        try:
            if number != self.answers:
                await asyncio.Event().wait()
            return f"answer {number}"
        except asyncio.CancelledError:
            self.seen["cancelled"] += 1
            raise


async def test_a_request_that_is_answered_at_once_is_sent_once() -> None:
    server = Server(answers=1)
    assert await hedged(server.request, delay=60) == "answer 1"
    assert server.seen == {"sent": 1}


async def test_a_request_that_is_not_answered_is_sent_again() -> None:
    server = Server(answers=3)
    assert await hedged(server.request, delay=0.01) == "answer 3"
    assert server.seen == {"sent": 3, "cancelled": 2}


async def test_to_a_dead_service_only_so_many_requests_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once no further copy may be sent, it waits without a timeout: nothing can follow."""
    timeouts: list[float | None] = []
    wait = asyncio.wait

    async def noted(*arguments: Any, **options: Any) -> Any:
        timeouts.append(options.get("timeout"))
        return await wait(*arguments, **options)

    monkeypatch.setattr("livetables.feed.hedge.asyncio.wait", noted)
    server = Server(answers=0)
    sending = asyncio.create_task(hedged(server.request, delay=0))
    await wait_until(lambda: None in timeouts, what="the last copy to be sent")
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert server.seen == {"sent": MAX_ATTEMPTS, "cancelled": MAX_ATTEMPTS}
    assert timeouts == [0] * (MAX_ATTEMPTS - 1) + [None, None]


async def test_an_error_is_raised_at_once() -> None:
    async def refuse() -> None:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        await hedged(refuse, delay=60)


async def test_cancelling_twice_does_not_interrupt_a_connection_that_is_closing() -> None:
    sent, closing, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def request() -> None:
        try:
            sent.set()
            await asyncio.Event().wait()
        finally:
            with anyio.CancelScope(shield=True):  # as httpcore does
                closing.set()
                for _ in range(5):  # closing a connection takes a few turns of the loop
                    await asyncio.sleep(0)
                closed.set()

    sending = asyncio.create_task(hedged(request, delay=60))
    for event in (sent, closing):
        await event.wait()
        sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    async with asyncio.timeout(10):
        await closed.wait()
    assert closed.is_set()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Run a server that answers every request and keeps its connections open."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield "http://{}:{}/".format(*server.sockets[0].getsockname())
    server.close()


@pytest.mark.parametrize("late", [0, 1, 2])
async def test_whenever_it_is_cancelled_the_connection_is_released(url: str, late: int) -> None:
    loop = asyncio.get_running_loop()

    def cancel_later(sending: asyncio.Task[httpx.Response], turns: int) -> None:
        if turns:
            loop.call_soon(cancel_later, sending, turns - 1)
        else:
            sending.cancel()

    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=10) as client:
        for turns in range(60):
            sending = asyncio.create_task(hedged(lambda: client.get(url), delay=60))
            for _ in range(turns):
                await asyncio.sleep(0)
            cancel_later(sending, late)
            with contextlib.suppress(asyncio.CancelledError):
                await sending
        assert (await client.get(url)).status_code == 204
