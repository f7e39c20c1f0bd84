"""What a process has delivered, counted once."""

from datetime import timedelta

from livetables.counts import Counted, Counts

SECOND = timedelta(seconds=1)


def test_changes_are_counted_with_the_time_they_took() -> None:
    counts = Counts()
    counts.arrived(3, [SECOND, 2 * SECOND])
    counts.arrived(1, [])
    assert counts.now == Counted(changes=4, timed=2, lag=3 * SECOND)


def test_a_clock_that_is_behind_takes_no_time_away() -> None:
    counts = Counts()
    counts.arrived(2, [SECOND, -5 * SECOND])
    assert counts.now.lag == SECOND


def test_pushes_reruns_and_repairs_are_counted_apart() -> None:
    counts = Counts()
    counts.pushed()
    counts.pushed()
    counts.rerun()
    counts.repaired(5)
    assert counts.now == Counted(pushes=2, reruns=1, repaired=5)
