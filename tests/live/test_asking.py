"""A question whose answer does not come is asked again, without giving the first one up."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

import anyio
import httpx
import pytest

from live.asking import first_answer


class Server:
    """Answers the try with this number, and leaves all others waiting."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.seen: Counter[str] = Counter()

    async def ask(self) -> str:
        self.seen["asked"] += 1
        number = self.seen["asked"]
        try:
            if number != self.answers:
                await asyncio.Event().wait()
            return f"answer {number}"
        except asyncio.CancelledError:
            self.seen["given up"] += 1
            raise


async def test_what_is_answered_at_once_is_asked_once() -> None:
    server = Server(answers=1)
    assert await first_answer(server.ask, again=60) == "answer 1"
    assert server.seen == {"asked": 1}


async def test_what_is_not_answered_is_asked_again() -> None:
    server = Server(answers=3)
    assert await first_answer(server.ask, again=0.01) == "answer 3"
    assert server.seen == {"asked": 3, "given up": 2}


async def test_a_dead_service_is_not_asked_without_end() -> None:
    server = Server(answers=0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await first_answer(server.ask, again=0.01)
    assert server.seen == {"asked": 5, "given up": 5}


async def test_a_failure_is_told_at_once() -> None:
    async def refuse() -> None:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        await first_answer(refuse, again=60)


async def test_giving_up_twice_does_not_reach_what_is_being_closed() -> None:
    asked, closing, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        try:
            asked.set()
            await asyncio.Event().wait()
        finally:
            with anyio.CancelScope(shield=True):  # as httpcore does it
                closing.set()
                for _ in range(5):  # closing a connection takes a few turns
                    await asyncio.sleep(0)
                closed.set()

    asking = asyncio.create_task(first_answer(ask, again=60))
    for moment in (asked, closing):
        await moment.wait()
        asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(10):
        await closed.wait()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Serve somebody who answers everything, on connections that stay."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield "http://{}:{}/".format(*server.sockets[0].getsockname())
    server.close()


@pytest.mark.parametrize("late", [0, 1, 2])
async def test_whenever_it_is_given_up_the_connection_is_free_again(url: str, late: int) -> None:
    loop = asyncio.get_running_loop()

    def give_up(asking: asyncio.Task[httpx.Response], turns: int) -> None:
        if turns:
            loop.call_soon(give_up, asking, turns - 1)
        else:
            asking.cancel()

    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=10) as client:
        for turns in range(60):
            asking = asyncio.create_task(first_answer(lambda: client.get(url), again=60))
            for _ in range(turns):
                await asyncio.sleep(0)
            give_up(asking, late)
            with contextlib.suppress(asyncio.CancelledError):
                await asking
        assert (await client.get(url)).status_code == 204
