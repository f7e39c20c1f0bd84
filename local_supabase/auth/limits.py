"""Rate limits: token buckets in memory that refill evenly, as GoTrue's do."""

import time
from collections.abc import Callable

from local_supabase.auth.errors import too_many

_MAX_KEYS = 100_000


class Bucket:
    """Allows ``burst`` uses of a key at once, and as many again over each period.

    Arguments:
        burst: how many uses; 0 allows none, None any number.
        period: the time in seconds after which an empty bucket is full again.
        clock: returns seconds of a monotonic clock.
    """

    def __init__(self, burst: int | None, period: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._period = period
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> bool:
        """Use the key once; return False if it is used up."""
        if self._burst is None:
            return True
        now = self._clock()
        left = self._refilled(key, now, self._burst)
        allowed = left >= 1
        if len(self._left) >= _MAX_KEYS and key not in self._left:
            self._drop_fullest(now, self._burst)
        self._left[key] = (left - 1 if allowed else left, now)
        return allowed

    def give_back(self, key: str) -> None:
        """Undo one `take` of the key, whose use turned out to count for nothing."""
        if self._burst is None:
            return
        now = self._clock()
        left = self._refilled(key, now, self._burst) + 1
        if left >= self._burst:
            self._left.pop(key, None)
        else:
            self._left[key] = (left, now)

    def clear(self) -> None:
        """Forget all uses."""
        self._left.clear()

    def _refilled(self, key: str, now: float, burst: int) -> float:
        left, since = self._left.get(key, (float(burst), now))
        return min(float(burst), left + (now - since) * burst / self._period)

    def _drop_fullest(self, now: float, burst: int) -> None:
        """Drop the half of the keys with the most left, so that nobody refills a key by using many others."""
        fullest = sorted(self._left, key=lambda key: self._refilled(key, now, burst), reverse=True)
        for key in fullest[: max(1, len(fullest) // 2)]:
            del self._left[key]


def refuse_if_over(bucket: Bucket, key: str) -> None:
    """Use the key once. Raises `AuthError` 429 if it is used up."""
    if not bucket.take(key):
        raise too_many("over_request_rate_limit", "Request rate limit reached")
