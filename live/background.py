"""An event loop in a thread of its own, and the tasks in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, TypeVar

T = TypeVar("T")

_ENDING: Final = 10.0
"""Seconds that tasks get to end by themselves, at most: a busy machine needs them to close its sockets."""


class Background:
    """Runs tasks until it is stopped. Methods are for any thread; `spawn` belongs to the loop."""

    def __init__(self, name: str) -> None:
        self.loop: Final = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, first: Callable[[], None]) -> None:
        """Start the thread, and in it `first`."""
        self.call(first)
        self._thread.start()

    def stop(self, last: Callable[[], Awaitable[object]]) -> None:
        """Cancel the tasks, then await `last`, and end the thread."""
        if self._thread.is_alive():
            self.call(lambda: self.loop.create_task(self._close_down(last)))
            self._thread.join()
        self.loop.close()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call it in the loop, soon."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(function, *arguments)

    def call_later(self, seconds: float, function: Callable[..., object], *arguments: object) -> None:
        """Call it in the loop, after a while."""
        self.call(self.loop.call_later, seconds, function, *arguments)

    def spawn(self, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begin a task, which is kept until it is over. Belongs to the loop."""
        self._tasks.add(task := self.loop.create_task(coroutine))
        task.add_done_callback(self._tasks.discard)
        return task

    def result(self, coroutine: Coroutine[object, object, T], timeout: float) -> T:
        """Run it in the loop and wait for what it returns or raises. Raises `TimeoutError`."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _close_down(self, last: Callable[[], Awaitable[object]]) -> None:
        """End the tasks in good order, then whatever the libraries have left running."""
        await _cancel(set(self._tasks))
        await last()
        current = asyncio.current_task()
        await _cancel({task for task in asyncio.all_tasks() if task is not current})
        await self.loop.shutdown_default_executor()
        # A socket is closed a turn after its connection.
        await asyncio.sleep(0)
        self.loop.stop()


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_ENDING)
