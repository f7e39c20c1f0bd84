"""The one place of the embedded Supabase that starts tasks, threads and pools of threads."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

_tasks: Final[set[asyncio.Task[object]]] = set()
"""The running tasks: asyncio itself keeps no reference to them."""


def start_task(work: Coroutine[object, object, T], name: str | None = None) -> asyncio.Task[T]:
    """Start a task that somebody awaits, who gets what it raises."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    kept: asyncio.Task[object] = task
    _tasks.add(kept)
    task.add_done_callback(lambda _: _tasks.discard(kept))
    return task


def spawn(work: Coroutine[object, object, None], name: str, log: logging.Logger) -> asyncio.Task[None]:
    """Start a task that nobody awaits. What it raises is logged."""
    return start_task(_logged(work, name, log), name)


async def _logged(work: Coroutine[object, object, None], name: str, log: logging.Logger) -> None:
    try:
        await work
    except Exception:
        log.exception("The background task %s failed", name)


def start_thread(name: str, work: Callable[[], object]) -> threading.Thread:
    """Start a thread that does not keep the process from ending."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def thread_pool(name: str, most: int) -> ThreadPoolExecutor:
    """Return a pool of at most so many threads."""
    return ThreadPoolExecutor(most, thread_name_prefix=name)
