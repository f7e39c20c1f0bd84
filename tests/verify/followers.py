"""Following the tables by asking what changed, as the engine does while there is no stream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from db.auth import SignedIn
from live.reads import Reader
from live.store import Store
from live.sync import Sync
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS


class Followers:
    """One store for each reader; the first catching up loads it."""

    def __init__(self, stack: StackInfo, readers: Mapping[str, SignedIn | None]) -> None:
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(timeout=60)
        self._syncs = {name: self._follower(stack, person) for name, person in readers.items()}
        self.stores = {name: sync.store for name, sync in self._syncs.items()}

    def catch_up(self) -> None:
        """Ask for everybody, once."""
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
        reader = Reader(stack.url, stack.anon_key, specs, token, self._http)
        return Sync(Store(ALL_SPECS, lambda _: None), specs, reader)
