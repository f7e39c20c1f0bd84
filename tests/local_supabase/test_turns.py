"""Large requests wait for earlier ones of the same person, and for nobody else."""

from __future__ import annotations

import asyncio

from local_supabase.turns import Turns
from tests.support.wait import wait_until


async def test_a_person_waits_only_for_herself() -> None:
    turns = Turns()
    order: list[str] = []
    held = asyncio.Event()

    async def request(person: str, name: str) -> None:
        async with turns.turn(person):
            order.append(name)
            if name == "first":
                await held.wait()

    waiting = [asyncio.create_task(request("Ada", name)) for name in ("first", "second", "third")]
    await wait_until(lambda: order, what="the first request")
    await request("Bo", "another person's")
    assert order == ["first", "another person's"]
    held.set()
    await asyncio.gather(*waiting)
    assert order == ["first", "another person's", "second", "third"]


async def test_a_client_that_leaves_makes_nobody_wait() -> None:
    turns = Turns()
    leaving = asyncio.Event()

    async def request() -> None:
        async with turns.turn("Ada"):
            leaving.set()
            await asyncio.Future()

    first, second = (asyncio.create_task(request()) for _ in range(2))
    await leaving.wait()
    for task in (second, first):
        task.cancel()
    await asyncio.wait([first, second])
    async with asyncio.timeout(60), turns.turn("Ada"):
        assert first.cancelled()
        assert second.cancelled()
