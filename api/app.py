"""The FastAPI application: all routes behind the guard, with one form of errors."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from fastapi import FastAPI
from starlette.routing import Mount

from api import agents, calendars, docs, errors, health, metrics, stream
from api.agent_registry import AgentRegistry
from api.backend import BackendFactory
from api.context import Context, set_context
from api.guard import Guard
from api.openapi import schema_factory
from api.settings import ApiSettings
from publish.background import Background

_DESCRIPTION: Final = """\
What the Tavern's pages do, for programs.

Everything needs the **access token of a signed-in person** (`Authorization: Bearer …`) and happens with that
person's rights: what belongs to somebody else is not found. Tokens come from Supabase Auth,
`POST <project>/auth/v1/token?grant_type=password` with the project's public key, and are valid for an hour.

Every error is problem details (RFC 9457); `errors` names the invalid fields.
"""


_SHUTDOWN_GRACE: Final = timedelta(seconds=3)
"""How long runs may continue when the server stops, before they are aborted."""


def create_api(
    open_backend: BackendFactory, settings: ApiSettings, registry: AgentRegistry, background: Background
) -> FastAPI:
    """Make the application.

    `open_backend` gives it the process's database and engine with the first request that needs them.
    `registry` has the agents that can be started; `background` runs them until the application ends.
    """
    context = Context(open_backend, settings, registry, background)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        context.stopping = True
        await context.threads.run(background.close, _SHUTDOWN_GRACE)

    app = FastAPI(
        title="Tavern",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    set_context(app, context)
    errors.install(app)
    app.include_router(agents.router)
    app.include_router(calendars.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    stream.install(app)
    docs.install(app)
    app.openapi = schema_factory(app, registry)  # type: ignore[method-assign]  # as FastAPI documents it
    app.add_middleware(Guard, largest_body=settings.largest_body)
    return app


def mount_api(app: FastAPI, base_path: str = "") -> list[Mount]:
    """Return the routes under which a server offers the application.

    Arguments:
        app: the application.
        base_path: a path under which the server offers its pages; the application is there as well.
    """
    return [_mount(app, path) for path in dict.fromkeys(["/api", f"/{base_path}/api".replace("//", "/")])]


def _mount(app: FastAPI, path: str) -> Mount:
    mount = Mount(path, app=app)
    # Starlette's pattern does not match paths with a line break, so they would get errors of another form.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount
