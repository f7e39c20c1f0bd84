"""Asking, while a heartbeat's answer is late, whether anything answers."""

import asyncio
from collections.abc import Callable

import pytest

from live.reach import Reach
from local_supabase.runtime import StackInfo
from tests.live.fault_proxy import FaultProxy


def fail(proxy: FaultProxy) -> None:
    proxy.failing = True


def stall(proxy: FaultProxy) -> None:
    proxy.stalled = True


@pytest.mark.parametrize(
    ("fault", "within", "answers"),
    [(lambda _: None, 20.0, True), (fail, 20.0, True), (stall, 0.2, False), (FaultProxy.refuse, 20.0, False)],
    ids=["a working service", "one that fails", "a half-open network", "nobody there"],
)
async def test_any_answer_will_do(
    fault: Callable[[FaultProxy], None], within: float, answers: bool, proxy: FaultProxy, stack: StackInfo
) -> None:
    reach = Reach(proxy.url, stack.anon_key, within)
    await asyncio.to_thread(fault, proxy)
    assert await reach.answers() is answers


async def test_many_who_ask_at_once_ask_one_question(proxy: FaultProxy, stack: StackInfo) -> None:
    reach = Reach(proxy.url, stack.anon_key, 20.0)
    one_who_leaves = asyncio.ensure_future(reach.answers())
    await asyncio.sleep(0)
    one_who_leaves.cancel()
    assert all(await asyncio.gather(*(reach.answers() for _ in range(50))))
    assert reach.requests == 1
    assert await reach.answers()
    assert reach.requests == 2
