"""Whether anything of the other side answers: asked once for all feeds that miss an answer."""

from __future__ import annotations

import asyncio
from typing import Final

import anyio
import httpx

_PATH: Final = "/auth/v1/health"
"""Small, public, and answered without the database. Any answer will do, a refusal too."""


class Reach:
    """Asks over HTTP while a heartbeat's answer is late, at most one question at a time. Belongs to one loop.

    Each question has a connection of its own: one that is there already may be as dead as the websocket.
    """

    def __init__(self, url: str, key: str, within: float) -> None:
        self._url, self._key, self._within = url + _PATH, key, within
        self._http: httpx.AsyncClient | None = None
        self._asking: asyncio.Task[bool] | None = None
        self.requests = 0
        """Requests sent so far."""

    async def answers(self) -> bool:
        """Tell whether anything answers in time; whoever asks while a question is under way shares it."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        if self._http is None:  # not before there is trouble: it costs a moment. It keeps no connection
            self._http = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0))
        self.requests += 1
        try:
            with anyio.fail_after(self._within):
                await self._http.get(self._url, headers={"apikey": self._key})
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return False
        return True
