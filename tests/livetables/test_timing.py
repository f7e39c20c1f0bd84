"""Intervals, and backoff: longer each time, never forever, never in step with others."""

import asyncio
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetables.timing import Backoff, Timing, heartbeat_of_many, wait_for_event

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy with other work."""


@UNHURRIED
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_pauses_grow_to_the_limit_and_no_further(seed: int, tries: int) -> None:
    backoff = Backoff(0.2, 15, random.Random(seed))
    pauses = [backoff.next() for _ in range(tries)]
    for number, pause in enumerate(pauses):
        step = min(15, 0.2 * 2.0**number)
        assert step / 2 <= pause <= step


def test_after_a_success_the_pauses_start_again() -> None:
    backoff = Backoff(1, 60)
    for _ in range(10):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 1


def test_two_clients_do_not_retry_in_step() -> None:
    pauses = [Backoff(1, 60, random.Random(seed)).next() for seed in range(20)]
    assert len(set(pauses)) > 10


def test_a_dead_socket_is_noticed_within_two_seconds() -> None:
    timing = Timing()
    assert timing.heartbeat + timing.heartbeat_answer < 1.5


def test_a_machine_that_takes_a_second_to_answer_does_not_count_as_dead() -> None:
    timing = Timing()
    assert timing.heartbeat_answer > 1
    assert timing.offline_after > 1
    assert timing.late_after < timing.heartbeat_answer / 3  # which leaves time to ask over HTTP


def test_reconciling_reads_every_20_to_30_seconds() -> None:
    assert 0.8 * Timing().reconcile >= 20
    assert Timing().reconcile <= 30


def test_the_more_feeds_there_are_the_longer_each_pauses_between_heartbeats() -> None:
    timing = Timing()
    assert [heartbeat_of_many(timing, feeds) for feeds in (0, 1, 20, 100, 100_000)] == [
        timing.heartbeat,
        timing.heartbeat,
        timing.heartbeat,
        2.0,
        timing.quiet_heartbeat,
    ]


async def test_waiting_for_an_event_says_whether_it_came() -> None:
    event = asyncio.Event()
    assert not await wait_for_event(event, 0)
    asyncio.get_running_loop().call_soon(event.set)
    assert await wait_for_event(event, 10)
