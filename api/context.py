"""What the routes of one API share."""

from __future__ import annotations

from typing import Final, cast

from fastapi import FastAPI, Request

from api.backend import Backend, Opener, Threads, opened
from api.crew import Crew
from api.gate import Gate
from api.rates import Rates
from api.settings import ApiSettings
from api.tokens import Tokens
from publish.background import Background


class Context:
    """Lives as long as the application; made inside its loop or before that."""

    def __init__(self, opener: Opener, settings: ApiSettings, crew: Crew, background: Background) -> None:
        self.settings: Final = settings
        self.crew: Final = crew
        self.background: Final = background
        self.tokens: Final = Tokens()
        self.gate: Final = Gate()
        self.rates: Final = Rates()
        self.threads: Final = Threads()
        self._opener = opener
        self._backend: Backend | None = None

    async def backend(self) -> Backend:
        """Return the way to the database. Raises `Away` while there is none."""
        if self._backend is None:
            self._backend = await opened(self.threads, self._opener)
        return self._backend


def context_of(request: Request) -> Context:
    """Return the context of the application that answers the request."""
    return cast("Context", request.app.state.context)


def give(app: FastAPI, context: Context) -> None:
    """Let the routes of the application find its context."""
    app.state.context = context
