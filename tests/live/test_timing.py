"""Backing off: longer each time, never for ever, never in step with others."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live.timing import Backoff, Timing

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy with other things."""


@UNHURRIED
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_pauses_grow_to_the_limit_and_no_further(seed: int, tries: int) -> None:
    backoff = Backoff(0.2, 15, random.Random(seed))
    pauses = [backoff.next() for _ in range(tries)]
    for number, pause in enumerate(pauses):
        step = min(15, 0.2 * 2.0**number)
        assert step / 2 <= pause <= step


def test_a_success_begins_anew() -> None:
    backoff = Backoff(1, 60)
    for _ in range(10):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 1


def test_two_do_not_come_back_in_step() -> None:
    pauses = [Backoff(1, 60, random.Random(seed)).next() for seed in range(20)]
    assert len(set(pauses)) > 10


def test_a_dead_socket_is_noticed_within_two_seconds() -> None:
    timing = Timing()
    assert timing.heartbeat + timing.heartbeat_answer < 1.5


def test_a_machine_that_takes_a_second_to_answer_is_not_gone() -> None:
    timing = Timing()
    assert timing.heartbeat_answer > 1
    assert timing.notice > 1
    assert timing.late < timing.heartbeat_answer / 3  # which leaves time to ask in another way


def test_reconciling_is_as_rare_as_is_said() -> None:
    assert 0.8 * Timing().reconcile >= 20
    assert Timing().reconcile <= 30
