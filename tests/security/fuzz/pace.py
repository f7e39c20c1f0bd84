"""A bound on the time of a request, as a multiple of what a plain one takes in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT = 200
"""How many times as long as a plain request any other may take. A machine that is busy slows both."""
_PLAIN = 15
_TRIES = 4


class Pace:
    """Knows how long a plain request takes."""

    def __init__(self, plain: Callable[[], object]) -> None:
        self._plain = statistics.median(_timed(plain)[1] for _ in range(_PLAIN))

    def keep(self, send: Callable[[], T]) -> T:
        """Send a request that must not take long. A slow one is tried again: the fastest counts."""
        answer, fastest = _timed(send)
        for _ in range(_TRIES - 1):
            if fastest <= LIMIT * self._plain:
                break
            fastest = min(fastest, _timed(send)[1])
        multiple = fastest / self._plain
        assert multiple <= LIMIT, f"The request takes {multiple:.0f} times as long as a plain one."
        return answer


def _timed(send: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    answer = send()
    return answer, time.perf_counter() - started
