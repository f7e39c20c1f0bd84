"""The REST service: what PostgREST answers for the exposed schemas of the project's database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute, Mount

from local_supabase.context import Context
from local_supabase.rest.cache import CatalogCache, listening
from local_supabase.rest.service import RestService

__all__ = ["lifespan", "routes"]

# By the context's identity: it holds what cannot be hashed.
_caches: dict[int, CatalogCache] = {}


def routes(context: Context) -> list[BaseRoute]:
    """Return the routes of the service, to be mounted at /rest/v1."""
    return [Mount("", app=RestService(context, _caches[id(context)]))]


@asynccontextmanager
async def lifespan(context: Context) -> AsyncIterator[None]:
    """Keep the schema catalog fresh while the gateway runs."""
    async with listening(context) as cache:
        _caches[id(context)] = cache
        try:
            yield
        finally:
            del _caches[id(context)]
