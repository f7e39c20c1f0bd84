"""The running functions: one worker each, started by the first call and replaced when the code changes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from local_supabase.background import spawn, start_task
from local_supabase.context import Context
from local_supabase.functions.catalog import Catalog, Function
from local_supabase.functions.deno import DenoProcess
from local_supabase.keys import Login

IDLE_SECONDS: Final = 150.0
"""A worker that nobody called for so long is ended."""

_SWEEP_SECONDS: Final = 10.0


class _Slot:
    """The worker of one function, None while it does not run."""

    def __init__(self) -> None:
        self.starting = asyncio.Lock()
        self.worker: DenoProcess | None = None
        self.calls = 0
        self.last_used = time.monotonic()


class Workers:
    """All workers of the gateway.

    Arguments:
        context: the shared parts of the gateway.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._slots: defaultdict[str, _Slot] = defaultdict(_Slot)
        self._retired: set[asyncio.Task[None]] = set()
        self._sweeper = start_task(self._sweep())
        self.catalog = Catalog(context.settings.project)

    @asynccontextmanager
    async def worker(self, function: Function) -> AsyncIterator[DenoProcess]:
        """Provide the function's worker for one call, starting it if it does not run.

        Raises:
            BootError: the function does not start.
        """
        slot = self._slots[function.name]
        slot.calls += 1
        try:
            yield await self._current(slot, function)
        finally:
            slot.calls -= 1
            slot.last_used = time.monotonic()

    async def discard(self, worker: DenoProcess) -> None:
        """End a worker that no longer answers; the next call starts another."""
        slot = self._slots[worker.function.name]
        if slot.worker is worker:
            slot.worker = None
        await worker.stop()

    async def close(self) -> None:
        """End all workers and wait for them."""
        self._sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sweeper
        workers = [slot.worker for slot in self._slots.values() if slot.worker]
        await asyncio.gather(*self._retired, *(worker.stop() for worker in workers))

    async def _current(self, slot: _Slot, function: Function) -> DenoProcess:
        async with slot.starting:
            worker = slot.worker
            if worker and not worker.has_ended and worker.function == function:
                return worker
            slot.worker = None
            if worker:
                self._retire(worker)
            slot.worker = await DenoProcess.start(
                function,
                self._environment(),
                cache=self._context.settings.data_dir.root / "deno",
                folder=self.catalog.folder,
                socket_folder_prefix=self._context.settings.data_dir.socket_folder_prefix,
                log=self._context.log,
            )
            return slot.worker

    def _retire(self, worker: DenoProcess) -> None:
        task = spawn(worker.stop(), "functions-retire", self._context.log)
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    def _environment(self) -> dict[str, str]:
        settings, keys = self._context.settings, self._context.keys
        return {
            **self.catalog.secrets(),
            "SUPABASE_URL": settings.url,
            "SUPABASE_ANON_KEY": keys.anon_key,
            "SUPABASE_SERVICE_ROLE_KEY": keys.service_key,
            "SUPABASE_DB_URL": settings.dsn(keys, Login.POSTGRES),
        }

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            oldest = time.monotonic() - IDLE_SECONDS
            for slot in list(self._slots.values()):
                if slot.worker and not slot.calls and slot.last_used < oldest:
                    worker, slot.worker = slot.worker, None
                    self._retire(worker)
