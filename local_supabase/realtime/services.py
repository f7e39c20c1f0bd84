"""What channels work with: one of each in a gateway."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field

from local_supabase.realtime.limits import Limits, RateCounter
from local_supabase.realtime.postgres_changes import PostgresChanges
from local_supabase.realtime.private import Policies
from local_supabase.realtime.replay import MessageStore
from local_supabase.realtime.rooms import Rooms
from local_supabase.realtime.tokens import RealtimeTokens


class Tasks:
    """Background tasks that end with their owner; a task that fails is logged, never lost."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run a coroutine in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("A background task failed", exc_info=error)

    async def cancel(self) -> None:
        """End all of them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Services:
    """The shared parts of Realtime."""

    limits: Limits
    tokens: RealtimeTokens
    rooms: Rooms
    policies: Policies
    changes: PostgresChanges
    store: MessageStore
    tasks: Tasks
    log: logging.Logger
    joins: RateCounter = field(default_factory=RateCounter)
    messages: RateCounter = field(default_factory=RateCounter)
    presence: RateCounter = field(default_factory=RateCounter)
