"""Asking again while an answer is outstanding."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

_TRIES: Final = 5


async def first_answer(ask: Callable[[], Awaitable[T]], again: float) -> T:
    """Ask, and ask again every `again` seconds without giving up what was asked before.

    A connection may be dead without a word: what is sent on it is never answered, while a new one would
    work at once. Returns or raises what the first try does that comes to an end.
    """
    tries: set[asyncio.Future[T]] = set()
    try:
        while True:
            if len(tries) < _TRIES:
                tries.add(asyncio.ensure_future(ask()))
            pause = again if len(tries) < _TRIES else None
            ended, _ = await asyncio.wait(tries, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if ended:
                return next(iter(ended)).result()
    finally:
        for one in tries:
            one.cancel()
        await asyncio.gather(*tries, return_exceptions=True)
