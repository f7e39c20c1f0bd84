"""Reads single rows again whose changes did not arrive complete."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from livetables.errors import ReadError
from livetables.faults import FAULTS
from livetables.feed.sync import Sync
from livetables.tables.changes import Key

_log: Final = logging.getLogger(__name__)


class Refetcher:
    """Collects keys and reads their rows. Belongs to one event loop.

    `on_failed` is called if rows could not be read. They are not tried again: catching up has to read them.
    """

    def __init__(self, sync: Sync, on_failed: Callable[[], None]) -> None:
        self._sync = sync
        self._on_failed = on_failed
        self._keys: defaultdict[str, set[Key]] = defaultdict(set)
        self._requested = asyncio.Event()

    def request(self, table: str, keys: Iterable[Key]) -> None:
        """Have these rows read soon."""
        self._keys[table].update(keys)
        self._requested.set()

    async def run(self) -> None:
        """Read what is requested until cancelled."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            keys, self._keys = self._keys, defaultdict(set)
            try:
                for table, some in keys.items():
                    await self._sync.refetch(table, list(some))
            except ReadError as error:
                _log.info("Rows could not be read: %s", error)
                self._on_failed()
            except Exception as error:
                FAULTS.record("refetching", error)
                self._on_failed()
