"""The one place of the engine that starts tasks and threads: an event loop on a thread of its own, tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from livetables.faults import FAULTS

T = TypeVar("T")

_CANCEL_TIMEOUT: Final = 10.0
"""Seconds that cancelled tasks get to end. A busy machine needs them to close the sockets."""


class Background:
    """Runs tasks until it is stopped. Methods may be called on any thread, except for `spawn`."""

    def __init__(self, name: str) -> None:
        self.loop: Final = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, first: Callable[[], None]) -> None:
        """Start the thread and call `first` on it."""
        self.call(first)
        self._thread.start()

    def stop(self, last: Callable[[], Awaitable[object]]) -> None:
        """Cancel the tasks, await `last`, and end the thread. Blocks until the thread has ended."""
        if self._thread.is_alive():
            self.call(lambda: self.loop.create_task(self._shut_down(last)))
            self._thread.join()
        self.loop.close()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call the function on the loop, soon. Does nothing after `stop`."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(function, *arguments)

    def call_later(self, seconds: float, function: Callable[..., object], *arguments: object) -> None:
        """Call the function on the loop, after so many seconds."""
        self.call(self.loop.call_later, seconds, function, *arguments)

    def spawn(self, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start a task and keep a reference until it ends. Call it on the loop."""
        self._tasks.add(task := self.loop.create_task(coroutine))
        task.add_done_callback(self._ended)
        return task

    def result(self, coroutine: Coroutine[object, object, T], timeout: float) -> T:
        """Run the coroutine on the loop and wait for its result.

        Raises what it raises, and `TimeoutError` after `timeout` seconds.
        """
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            FAULTS.record("engine", error)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _shut_down(self, last: Callable[[], Awaitable[object]]) -> None:
        """End our own tasks in order, then whatever the libraries left running."""
        await _cancel(set(self._tasks))
        await last()
        current = asyncio.current_task()
        await _cancel({task for task in asyncio.all_tasks() if task is not current})
        await self.loop.shutdown_default_executor()
        # asyncio closes a socket one turn after its connection.
        await asyncio.sleep(0)
        self.loop.stop()


@asynccontextmanager
async def running(*work: Coroutine[object, object, T]) -> AsyncIterator[list[asyncio.Task[T]]]:
    """Run coroutines beside the block. At its end, cancel those that still run, and wait for all."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def start_task(work: Coroutine[object, object, T]) -> asyncio.Task[T]:
    """Start a task on the running loop. Whoever starts it keeps it, ends it, and gets what it raises."""
    return asyncio.create_task(work)


def spawn(place: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """Start a task on the running loop that nobody awaits. What it raises is a fault of `place`."""

    async def contained() -> None:
        with FAULTS.contained(place):
            await work

    return asyncio.create_task(contained())


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_CANCEL_TIMEOUT)


def start_daemon(place: str, work: Callable[[], object]) -> threading.Thread | None:
    """Do the work in a thread that does not keep the program from ending; None if none can be started now.

    `place` is the thread's name, and that of its faults.
    """

    def run() -> None:
        with FAULTS.contained(place):
            work()

    thread = threading.Thread(target=run, name=place, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        if "shutdown" not in str(error):  # the machine has no threads left
            FAULTS.record(place, error)
        return None
    return thread
