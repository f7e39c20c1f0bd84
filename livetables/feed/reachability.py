"""Whether anything of the server answers over HTTP, asked once for all feeds that miss an answer."""

from __future__ import annotations

import asyncio
from typing import Final

import anyio
import httpx

from livetables.background import start_task
from livetables.config import EngineConfig

_PATH: Final = "/auth/v1/health"
"""Small, public, and answered without the database. Any answer counts, also a refusal."""


class Reachability:
    """Sends at most one request at a time. Belongs to one event loop.

    Each request has a connection of its own: an existing one may be as dead as the websocket.
    """

    def __init__(self, project: EngineConfig, within: float) -> None:
        """Take the project, and how many seconds an answer may take."""
        self._project, self._within = project, within
        self._http: httpx.AsyncClient | None = None
        self._asking: asyncio.Task[bool] | None = None
        self.requests = 0
        """Requests sent so far."""

    async def answers(self) -> bool:
        """Return whether anything answers in time. Callers at the same time share one request."""
        if self._asking is None or self._asking.done():
            self._asking = start_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        if self._http is None:
            # Creating a client takes a moment, so wait until there is trouble. It keeps no connections.
            self._http = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0))
        self.requests += 1
        try:
            with anyio.fail_after(self._within):
                await self._http.get(self._project.url + _PATH, headers={"apikey": self._project.key})
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return False
        return True
