"""The Functions service: `functions/<name>/index.ts` of the project, served by Deno.

Its behavior is that of supabase.com/docs/guides/functions.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute, Route

from local_supabase.context import Context
from local_supabase.functions.endpoint import ANSWER_SECONDS, METHODS, FunctionsEndpoint
from local_supabase.functions.workers import Workers

_workers: dict[int, Workers] = {}


@asynccontextmanager
async def lifespan(context: Context) -> AsyncIterator[None]:
    """Own the workers: none runs before its function is called, none outlives the gateway."""
    workers = Workers(context)
    _workers[id(context)] = workers
    try:
        yield
    finally:
        del _workers[id(context)]
        await workers.close()


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes below `/functions/v1`."""
    seconds = float(os.environ.get("LOCAL_SUPABASE_FUNCTION_SECONDS", ANSWER_SECONDS))
    endpoint = FunctionsEndpoint(context, _workers[id(context)], answer_seconds=seconds)
    return [Route(path, endpoint.serve, methods=METHODS) for path in ("/{name}", "/{name}/{rest:path}")]
