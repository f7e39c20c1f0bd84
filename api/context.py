"""The state that the routes of one API share."""

from __future__ import annotations

from typing import Final, cast

from fastapi import FastAPI, Request

from api.agent_registry import AgentRegistry
from api.backend import Backend, BackendFactory, Threads, open_backend
from api.rates import Rates
from api.settings import ApiSettings
from api.token_cache import TokenCache
from api.tokens import Tokens
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

    async def backend(self) -> Backend:
        """Return the backend. Raises `ServiceUnavailableError` while it cannot be opened."""
        if self._backend is None:
            self._backend = await open_backend(self.threads, self._factory)
        return self._backend


def context_of(request: Request) -> Context:
    """Return the context of the application that answers the request."""
    return cast("Context", request.app.state.context)


def set_context(app: FastAPI, context: Context) -> None:
    """Attach the context to the application, where `context_of` finds it."""
    app.state.context = context
