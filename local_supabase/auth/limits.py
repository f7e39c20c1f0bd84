"""Rate limits: token buckets in memory, refilled evenly, as GoTrue's."""

import time
from collections.abc import Callable

from local_supabase.auth.errors import too_many

_FORGET_AFTER_KEYS = 10_000


class Bucket:
    """Allows ``burst`` uses of a key at once, and as many per period over time; 0 is no limit."""

    def __init__(self, burst: int, period: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._period = period
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> bool:
        """Use the key once, if it may be used."""
        if not self._burst:
            return True
        now = self._clock()
        left, since = self._left.get(key, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._burst / self._period)
        allowed = left >= 1
        if len(self._left) >= _FORGET_AFTER_KEYS and key not in self._left:
            self._forget(now)
        self._left[key] = (left - 1 if allowed else left, now)
        return allowed

    def _forget(self, now: float) -> None:
        """Drop the keys that are full again, and all of them if that frees nothing."""
        full = [key for key, (_, since) in self._left.items() if now - since >= self._period]
        for key in full or list(self._left):
            del self._left[key]


def refuse_if_over(bucket: Bucket, key: str) -> None:
    """Raise the 429 for too many requests when the key is used up."""
    if not bucket.take(key):
        raise too_many("over_request_rate_limit", "Request rate limit reached")
