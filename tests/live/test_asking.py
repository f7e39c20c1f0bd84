"""A question whose answer does not come is asked again, without giving the first one up."""

import asyncio
from collections import Counter

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
