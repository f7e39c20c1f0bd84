"""The application: every route, behind the guard, with one form of errors."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from fastapi import FastAPI
from starlette.routing import Mount

from api import agents, docs, errors, stream
from api.backend import Opener
from api.context import Context, give
from api.crew import Crew
from api.guard import Guard
from api.openapi import described
from api.settings import ApiSettings
from publish.background import Background

_DESCRIPTION: Final = """\
What the Tavern's pages do, for programs.

Everything needs the **access token of a signed-in person** (`Authorization: Bearer …`), and happens with that
person's rights: what is somebody else's is not found. Tokens come from Supabase Auth,
`POST <project>/auth/v1/token?grant_type=password` with the project's public key, and are good for an hour.

Whatever goes wrong is told as problem details (RFC 9457); `errors` names the fields that are wrong.
"""


_ENDING: Final = timedelta(seconds=3)
"""How long runs may go on when the server stops, before they are broken off."""


def create_api(opener: Opener, settings: ApiSettings, crew: Crew, background: Background) -> FastAPI:
    """Make the application.

    `opener` gives it the process's database and engine when it first needs them; `crew` are the agents that
    can be started, `background` is where they work until the application ends.
    """
    context = Context(opener, settings, crew, background)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await context.threads.run(background.close, _ENDING)

    app = FastAPI(
        title="Tavern",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    give(app, context)
    errors.install(app)
    app.include_router(agents.router)
    stream.install(app)
    docs.show(app)
    app.openapi = described(app, crew)  # type: ignore[method-assign]  # as FastAPI's documentation says
    app.add_middleware(Guard, largest_body=settings.largest_body)
    return app


def mounted(app: FastAPI) -> Mount:
    """Return the route under which a server offers the application."""
    mount = Mount("/api", app=app)
    # Starlette's own pattern lets addresses with a line break in them slip past, to answers of another form.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount
