"""How often somebody may ask."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import TooMany


class Rates:
    """Counts what callers do, in this process."""

    def __init__(self) -> None:
        # Not the library's asyncio storage: that one hops into a thread for every caller it knows.
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, rate: RateLimitItem, *who: str) -> None:
        """Count one more. Raises `TooMany` if it is too much, and then does not count it."""
        if not self._limiter.hit(rate, *who):
            raise self._too_many(rate, *who)

    def check(self, rate: RateLimitItem, *who: str) -> None:
        """Raise `TooMany` if one more would be too much."""
        if not self._limiter.test(rate, *who):
            raise self._too_many(rate, *who)

    def _too_many(self, rate: RateLimitItem, *who: str) -> TooMany:
        stats = self._limiter.get_window_stats(rate, *who)
        return TooMany(max(1, math.ceil(stats.reset_time - time.time())))
