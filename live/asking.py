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
                tries.add(begun := asyncio.ensure_future(ask()))
                begun.add_done_callback(_take_note)
            pause = again if len(tries) < _TRIES else None
            ended, _ = await asyncio.wait(tries, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if ended:
                return next(iter(ended)).result()
    finally:
        for one in tries:
            one.cancel()
        if tries:
            # Whoever gives up twice must not reach them twice: they are closing their connections.
            await asyncio.wait(tries)


def _take_note(one: asyncio.Future[T]) -> None:
    """Take its error, if it has one, which then is no news to anybody."""
    if not one.cancelled():
        one.exception()
