"""The pauses between retries of this package.

The loops that retry keep working on other rows, end early when somebody flushes, and see a failure as a value
and not as an exception. So they need the pauses alone, and no library that owns the loop.
"""

from __future__ import annotations

import random
from typing import Final, Self

FIRST: Final = 0.25
"""Seconds before the first retry."""
LONGEST: Final = 15.0
"""Seconds between retries at most."""


class Backoff:
    """An endless iterator of pauses in seconds, which double up to a limit.

    Jitter keeps many clients from retrying at the same moment.
    """

    def __init__(self, first: float = FIRST, longest: float = LONGEST) -> None:
        self._first = first
        self._longest = longest
        self._pause = first

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> float:
        """Return the seconds to wait before the next try: half to all of the current pause."""
        pause, self._pause = self._pause, min(self._pause * 2, self._longest)
        return random.uniform(pause / 2, pause)  # noqa: S311  # spreads retries, no secret

    def reset(self) -> None:
        """Start again with the first pause, after a try that worked."""
        self._pause = self._first
