"""Asking over HTTP, while a heartbeat's answer is late, whether anything answers."""

import asyncio
from collections.abc import Callable

import pytest

from livetables.config import EngineConfig
from livetables.feed.reachability import Reachability
from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy


def fail(proxy: FaultProxy) -> None:
    proxy.failing = True


def stall(proxy: FaultProxy) -> None:
    proxy.stalled = True


@pytest.mark.parametrize(
    ("fault", "within", "answers"),
    [(lambda _: None, 20.0, True), (fail, 20.0, True), (stall, 0.2, False), (FaultProxy.refuse, 20.0, False)],
    ids=["a working service", "a failing service", "a half-open network", "no server"],
)
async def test_any_answer_counts(
    fault: Callable[[FaultProxy], None], within: float, answers: bool, proxy: FaultProxy, stack: StackInfo
) -> None:
    reachability = Reachability(EngineConfig(proxy.url, stack.anon_key), within)
    await asyncio.to_thread(fault, proxy)
    assert await reachability.answers() is answers


async def test_callers_at_the_same_time_share_one_request(proxy: FaultProxy, stack: StackInfo) -> None:
    reachability = Reachability(EngineConfig(proxy.url, stack.anon_key), 20.0)
    cancelled = asyncio.ensure_future(reachability.answers())
    await asyncio.sleep(0)
    cancelled.cancel()
    assert all(await asyncio.gather(*(reachability.answers() for _ in range(50))))
    assert reachability.requests == 1
    assert await reachability.answers()
    assert reachability.requests == 2
