"""Stores that follow the tables by catching up alone, as the engine does without a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from db.auth.accounts import SignedIn
from livetables.config import EngineConfig
from livetables.feed.reads import Reader, ReaderConfig
from livetables.feed.sync import Sync
from livetables.tables.store import Store
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS


class Followers:
    """One store for each reader. The first `catch_up` loads it."""

    def __init__(self, stack: StackInfo, readers: Mapping[str, SignedIn | None]) -> None:
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(timeout=60)
        self._syncs = {name: self._follower(stack, person) for name, person in readers.items()}
        self.stores = {name: sync.store for name, sync in self._syncs.items()}

    def catch_up(self) -> None:
        """Catch up all stores once."""
        self._runner.run(self._catch_up())

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._http.aclose())
        self._runner.close()

    async def _catch_up(self) -> None:
        await asyncio.gather(*(sync.catch_up() for sync in self._syncs.values()))

    def _follower(self, stack: StackInfo, person: SignedIn | None) -> Sync:
        async def token() -> str | None:
            return person.access_token() if person else None

        specs = {spec.name: spec for spec in ALL_SPECS}
        reader = Reader(ReaderConfig(EngineConfig(stack.url, stack.anon_key), token, self._http), specs)
        return Sync(Store(ALL_SPECS, lambda _: None), specs, reader)
