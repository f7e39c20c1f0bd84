"""Wait for a condition: the only way a test may let time pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_FIRST = 0.005  # seconds
_LONGEST = 0.1  # seconds


def wait_for(condition: Callable[[], T | None], *, within: float = 30, what: str) -> T:
    """Call `condition` until it returns something true, and return that.

    `within` is in seconds. It is generous, because it only delays a failure. `what` completes the sentence
    "Waited in vain for ...". Raises AssertionError when the time is over.
    """
    deadline = time.monotonic() + within
    pause = _FIRST
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {within:g} s in vain for {what}.")
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
    return value


async def wait_until(
    condition: Callable[[], Awaitable[T | None] | T | None], *, within: float = 30, what: str
) -> T:
    """Do the same without blocking the event loop. `condition` may be a coroutine function."""
    deadline = time.monotonic() + within
    pause = _FIRST
    while not (value := await _result(condition())):
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {within:g} s in vain for {what}.")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
    return value


async def _result(value: Awaitable[T | None] | T | None) -> T | None:
    return await value if isinstance(value, Awaitable) else value
