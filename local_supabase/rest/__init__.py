"""The REST service: PostgREST's interface over the exposed schemas of the project's database.

`query` parses a request, `catalog` holds the database's schema, `sql` plans one statement from both, and
`http` runs it as the caller and builds the response. `query` and `catalog` do not know each other. Start
reading with `http.service`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute, Mount

from local_supabase.context import Context
from local_supabase.rest.catalog.cache import CatalogCache, listening
from local_supabase.rest.http.service import RestService

__all__ = ["lifespan", "routes"]

# Keyed by the context's identity, because a context cannot be hashed.
_caches: dict[int, CatalogCache] = {}


def routes(context: Context) -> list[BaseRoute]:
    """Return the service's routes, for /rest/v1. Its lifespan must have been entered."""
    return [Mount("", app=RestService(context, _caches[id(context)]))]


@asynccontextmanager
async def lifespan(context: Context) -> AsyncIterator[None]:
    """Keep the schema catalog up to date while the gateway runs."""
    async with listening(context) as cache:
        _caches[id(context)] = cache
        try:
            yield
        finally:
            del _caches[id(context)]
