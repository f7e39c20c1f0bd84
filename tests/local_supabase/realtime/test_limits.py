"""Rates, windows and settings."""

import pytest

from local_supabase.realtime.limits import CallWindow, Limits, RateCounter


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_rate_is_the_average_since_the_first_event() -> None:
    clock = Clock()
    counter = RateCounter(clock)
    counter.add(10)
    assert counter.average() == 10
    clock.now += 4
    assert counter.average() == 2


def test_a_rate_forgets_what_is_older_than_a_minute() -> None:
    clock = Clock()
    counter = RateCounter(clock)
    counter.add(600)
    clock.now += 59
    assert counter.average() == 10
    clock.now += 1
    assert counter.average() == 0


def test_a_window_opens_with_the_first_call() -> None:
    clock = Clock()
    window = CallWindow(2, 30, clock)
    assert [window.allow() for _ in range(3)] == [True, True, False]
    clock.now += 31
    assert window.allow()


def test_limits_may_be_set_by_the_environment() -> None:
    environ = {
        "SUPABASE_REALTIME_MAX_SOCKETS": "7",
        "SUPABASE_REALTIME_IDLE_SECONDS": "1.5",
        "SUPABASE_REALTIME_PRIVATE_ONLY": "true",
    }
    assert Limits.from_environment(environ) == Limits(max_sockets=7, idle_seconds=1.5, private_only=True)
    with pytest.raises(ValueError):
        Limits.from_environment({"SUPABASE_REALTIME_MAX_SOCKETS": "many"})
