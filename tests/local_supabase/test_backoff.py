from __future__ import annotations

import pytest

from local_supabase.backoff import Backoff, RestartGate


def test_each_delay_is_twice_the_one_before_up_to_the_limit() -> None:
    backoff = Backoff(first_seconds=0.5, longest_seconds=3.0)
    assert [backoff.next_delay() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_reset_begins_with_the_first_delay() -> None:
    backoff = Backoff(first_seconds=1.0, longest_seconds=8.0)
    backoff.next_delay()
    backoff.next_delay()
    backoff.reset()
    assert backoff.next_delay() == 1.0


def test_jitter_only_shortens_a_delay_and_by_no_more_than_its_share() -> None:
    backoff = Backoff(first_seconds=4.0, longest_seconds=4.0, jitter=0.5)
    delays = [backoff.next_delay() for _ in range(200)]
    assert all(2.0 <= delay <= 4.0 for delay in delays)
    assert len(set(delays)) > 1


def test_a_thousand_failures_do_not_overflow() -> None:
    backoff = Backoff(first_seconds=0.05, longest_seconds=5.0)
    assert [backoff.next_delay() for _ in range(5000)][-1] == 5.0


@pytest.mark.parametrize(("first", "longest", "jitter"), [(0, 1, 0), (2, 1, 0), (1, 2, -0.1), (1, 2, 1.1)])
def test_delays_that_make_no_sense_are_refused(first: float, longest: float, jitter: float) -> None:
    with pytest.raises(ValueError, match=r"jitter|first"):
        Backoff(first, longest, jitter)


def test_the_first_restart_is_immediate_and_the_next_ones_are_spaced_out() -> None:
    gate = RestartGate(Backoff(first_seconds=0.5, longest_seconds=10.0))
    assert gate.try_pass(100.0)
    assert not gate.try_pass(100.4)
    assert gate.try_pass(100.5)
    assert not gate.try_pass(101.4)
    assert gate.try_pass(101.5)


def test_a_long_run_makes_restarts_immediate_again() -> None:
    gate = RestartGate(Backoff(first_seconds=0.5, longest_seconds=10.0))
    for now in (100.0, 101.0, 103.0, 106.0):
        assert gate.try_pass(now)
    assert gate.try_pass(200.0)
    assert gate.try_pass(200.5), "the delay is the first one again"
