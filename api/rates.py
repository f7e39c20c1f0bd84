"""Limits how often somebody may call."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import TooManyRequestsError


class Rates:
    """Counts calls in this process. `who` names the caller and what is counted."""

    def __init__(self) -> None:
        # Not the library's asyncio storage, which uses a thread for every caller it knows.
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, rate: RateLimitItem, *who: str) -> None:
        """Count one more. If it exceeds the rate, raise `TooManyRequestsError` and do not count it."""
        if not self._limiter.hit(rate, *who):
            raise self._too_many(rate, *who)

    def check(self, rate: RateLimitItem, *who: str) -> None:
        """Raise `TooManyRequestsError` if one more would exceed the rate."""
        if not self._limiter.test(rate, *who):
            raise self._too_many(rate, *who)

    def _too_many(self, rate: RateLimitItem, *who: str) -> TooManyRequestsError:
        stats = self._limiter.get_window_stats(rate, *who)
        return TooManyRequestsError(max(1, math.ceil(stats.reset_time - time.time())))
