"""Asking again while an answer is outstanding."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import anyio

T = TypeVar("T")

_TRIES: Final = 5


class _Try(Generic[T]):
    """A question on its way, given up by its scope and not by its task.

    A task that is cancelled while its connection comes about leaves that in the pool of httpcore for ever,
    and one that is cancelled twice does not close it: what httpcore shields itself from are scopes.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._scope = anyio.CancelScope()
        self.task = asyncio.ensure_future(self._run(ask))
        self.task.add_done_callback(_take_note)

    async def _run(self, ask: Callable[[], Awaitable[T]]) -> T:
        with self._scope:
            return await ask()
        raise asyncio.CancelledError

    def give_up(self) -> None:
        """Have it end."""
        self._scope.cancel()


async def first_answer(ask: Callable[[], Awaitable[T]], again: float) -> T:
    """Ask, and ask again every `again` seconds without giving up what was asked before.

    A connection may be dead without a word: what is sent on it is never answered, while a new one would
    work at once. Returns or raises what the first try does that comes to an end.
    """
    tries: list[_Try[T]] = []
    try:
        while True:
            if len(tries) < _TRIES:
                tries.append(_Try(ask))
            pause = again if len(tries) < _TRIES else None
            ended, _ = await asyncio.wait(
                [one.task for one in tries], timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
            if ended:
                return next(iter(ended)).result()
    finally:
        for one in tries:
            one.give_up()
        if tries:
            # Whoever gives up twice must not reach them twice: they are closing their connections.
            await asyncio.wait([one.task for one in tries])


def _take_note(one: asyncio.Future[T]) -> None:
    """Take its error, if it has one, which then is no news to anybody."""
    if not one.cancelled():
        one.exception()
