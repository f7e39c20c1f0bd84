"""Pauses between a session's reruns."""

from livetables.rerun_pauses import MAX_PAUSE, MIN_PAUSE, QUIET, Pauses


def _pause(pauses: Pauses, now: float) -> float:
    """Return how long the session pauses after a rerun that ends now and took no time."""
    pauses.forget_quiet(now)
    pauses.add("one", now, 0.0)
    length = 0.0
    while pauses.pausing("one", now + length):
        length += MIN_PAUSE / 100
    return length


def test_a_session_that_never_gets_quiet_pauses_longer_and_longer_up_to_a_limit() -> None:
    pauses, now, lengths = Pauses(), 1000.0, []
    for _ in range(12):
        lengths.append(_pause(pauses, now))
        now += lengths[-1] + QUIET / 2
    assert lengths[0] < 1.1 * MIN_PAUSE
    assert lengths == sorted(lengths)
    assert 0.99 * MAX_PAUSE < lengths[-1] < 1.01 * MAX_PAUSE


def test_a_quiet_session_begins_with_the_shortest_pause_again() -> None:
    pauses = Pauses()
    first = _pause(pauses, 0.0)
    assert _pause(pauses, first + QUIET / 2) > first
    assert _pause(pauses, 10.0) < 1.1 * MIN_PAUSE


def test_a_session_pauses_for_as_long_as_its_rerun_took() -> None:
    pauses = Pauses()
    pauses.add("one", 0.0, took=0.3)
    assert pauses.pausing("one", 0.29)
    assert not pauses.pausing("one", 0.31)


def test_other_sessions_do_not_pause() -> None:
    pauses = Pauses()
    pauses.add("one", 0.0, took=0.3)
    assert not pauses.pausing("other", 0.1)
