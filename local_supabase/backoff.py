"""Exponential backoff between attempts. It only computes delays: the caller waits and reads the clock."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """The delays between failing attempts: each is twice the one before it, up to a limit.

    Arguments:
        first_seconds: the delay after the first failure.
        longest_seconds: no delay is longer.
        jitter: the share of each delay, from 0 to 1, that is random. With 0.5 a delay of 4 s becomes anything
            from 2 to 4 s, so that clients that failed together do not all come back together.

    Raises:
        ValueError: the delays are not 0 < first <= longest, or the jitter is not within 0 and 1.
    """

    first_seconds: float
    longest_seconds: float
    jitter: float = 0.0
    _next_seconds: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.first_seconds <= self.longest_seconds:
            raise ValueError(f"not 0 < first <= longest: {self.first_seconds}, {self.longest_seconds}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"the jitter must be from 0 to 1: {self.jitter}")
        self._next_seconds = self.first_seconds

    def next_delay(self) -> float:
        """Return for how many seconds to wait before the next attempt."""
        delay = self._next_seconds
        self._next_seconds = min(delay * 2, self.longest_seconds)
        return delay * (1 - self.jitter * random.random())  # noqa: S311  # jitter, not a secret

    def reset(self) -> None:
        """Begin with the first delay again; called after a success."""
        self._next_seconds = self.first_seconds


class RestartGate:
    """Decides when a process that keeps ending may be started again.

    The first restart is allowed at once, each further one after the backoff's next delay. After more than
    twice the longest delay without a restart, the backoff is reset.

    Arguments:
        backoff: the delays between restarts.
    """

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._allowed_at = 0.0

    def try_pass(self, now: float) -> bool:
        """Return whether a restart may happen now, and count it if so.

        Arguments:
            now: seconds of a monotonic clock.
        """
        if now < self._allowed_at:
            return False
        if now > self._allowed_at + 2 * self._backoff.longest_seconds:
            self._backoff.reset()
        self._allowed_at = now + self._backoff.next_delay()
        return True
