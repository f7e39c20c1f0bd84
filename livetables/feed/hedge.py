"""Hedged requests: a request without an answer is sent again while the first one stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import anyio

from livetables.background import start_task

T = TypeVar("T")

MAX_ATTEMPTS: Final = 5
"""How many copies of a request may be open at the same time."""


class _Attempt(Generic[T]):
    """One copy of the request. It is cancelled through its scope, not through its task.

    httpcore shields its clean-up from cancelled scopes only. Cancelling a task while its connection is being
    opened would leave that connection in the pool forever, and cancelling it twice would not close it.
    """

    def __init__(self, send: Callable[[], Awaitable[T]]) -> None:
        self._scope = anyio.CancelScope()
        self.task = start_task(self._run(send))
        self.task.add_done_callback(_retrieve_error)

    async def _run(self, send: Callable[[], Awaitable[T]]) -> T:
        with self._scope:
            return await send()
        raise asyncio.CancelledError

    def cancel(self) -> None:
        self._scope.cancel()


async def hedged(send: Callable[[], Awaitable[T]], delay: float) -> T:
    """Send a request, and send it again every `delay` seconds while none of the copies is answered.

    A connection may die silently: requests on it are never answered, while a new connection works at once.
    At most `MAX_ATTEMPTS` copies are sent. Returns or raises what the first copy to finish does, and cancels
    the others.
    """
    attempts: list[_Attempt[T]] = []
    try:
        while True:
            if len(attempts) < MAX_ATTEMPTS:
                attempts.append(_Attempt(send))
            timeout = delay if len(attempts) < MAX_ATTEMPTS else None
            done, _ = await asyncio.wait(
                [attempt.task for attempt in attempts], timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return next(iter(done)).result()
    finally:
        for attempt in attempts:
            attempt.cancel()
        if attempts:
            # A second cancellation of this task must not reach attempts that are closing their connections,
            # so `wait`, which does not pass it on.
            await asyncio.wait([attempt.task for attempt in attempts])


def _retrieve_error(task: asyncio.Future[T]) -> None:
    """Mark the task's error as retrieved, so that asyncio does not log it."""
    if not task.cancelled():
        task.exception()
