"""The clock of a test: time that passes without waiting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta


class Clock:
    """Lets time pass.

    Arguments:
        advance: tells the stack by how many seconds everything becomes older.
    """

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Make all that is stored older, as if that much time had passed.

        All times with a time of day (`timestamptz`, `timestamp`) in the tables of the project, of Auth and of
        Storage move into the past, and the tokens that were given out are as much closer to their end.

        Arguments:
            days: this many days.
            hours: and hours.
            minutes: and minutes.
            seconds: and seconds.

        Raises:
            ValueError: it is no time, or less than none.
        """
        span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if span <= timedelta():
            raise ValueError("Time only goes forward: give days, hours, minutes or seconds above 0.")
        self._advance(span.total_seconds())
