"""The state that the routes of one API share."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from fastapi import FastAPI, Request

from api.agent_registry import AgentRegistry
from api.backend import Backend, BackendFactory, Threads, open_backend
from api.rates import Rates
from api.settings import ApiSettings
from api.token_cache import TokenCache
from api.tokens import Tokens
from livetables.background import start_task
from publish.background import Background


class Context:
    """Lives as long as the application. Create it inside the application's event loop or before it."""

    def __init__(
        self, factory: BackendFactory, settings: ApiSettings, registry: AgentRegistry, background: Background
    ) -> None:
        self.settings: Final = settings
        self.registry: Final = registry
        self.background: Final = background
        self.tokens: Final = Tokens()
        self.token_cache: Final = TokenCache()
        self.rates: Final = Rates()
        self.threads: Final = Threads()
        self._factory = factory
        self._backend: Backend | None = None
        self._opening: asyncio.Task[Backend] | None = None
        self.stopping = False
        """Whether the server ends, so that it should get no more requests."""

    async def backend(self) -> Backend:
        """Return the backend. Raises `ServiceUnavailableError` while it cannot be opened."""
        if self._backend is None:
            self._backend = await open_backend(self.threads, self._factory)
        return self._backend

    async def backend_soon(self, within: float) -> Backend | None:
        """Return the backend, None while it is being opened. Waits at most so many seconds.

        Raises `ServiceUnavailableError` if it cannot be opened. The next call tries again.
        """
        if self._backend is not None:
            return self._backend
        # One at a time: a balancer asks more often than an embedded Supabase starts.
        opening = self._opening = self._opening or start_task(self.backend())
        await asyncio.wait([opening], timeout=within)
        if not opening.done():
            return None
        self._opening = None
        return opening.result()


def context_of(request: Request) -> Context:
    """Return the context of the application that answers the request."""
    return cast("Context", request.app.state.context)


def set_context(app: FastAPI, context: Context) -> None:
    """Attach the context to the application, where `context_of` finds it."""
    app.state.context = context
