"""The Functions service: `functions/<name>/index.ts` of the project, served by Deno.

It behaves as supabase.com/docs/guides/functions describes. A gateway process forwards calls to one Deno
worker for each function; deploying and scheduling are not done here. Start with `endpoint`, then `workers`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute, Route

from local_supabase.context import Context
from local_supabase.functions.endpoint import ANSWER_SECONDS, METHODS, FunctionsEndpoint
from local_supabase.functions.spool import FILE_BYTES, Spools
from local_supabase.functions.workers import Workers

_workers: dict[int, Workers] = {}


@asynccontextmanager
async def lifespan(context: Context) -> AsyncIterator[None]:
    """Own the workers, which start with the first call of their function and end with the gateway."""
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
    file_bytes = int(os.environ.get("LOCAL_SUPABASE_FUNCTION_SPOOL_BYTES", FILE_BYTES))
    spools = Spools(context.settings.data_dir.root, file_bytes)
    endpoint = FunctionsEndpoint(context, _workers[id(context)], spools, answer_seconds=seconds)
    return [Route(path, endpoint.serve, methods=METHODS) for path in ("/{name}", "/{name}/{rest:path}")]
