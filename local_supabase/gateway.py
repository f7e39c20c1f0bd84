"""The gateway process: every service of the stack behind one loopback port."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local_supabase.context import Context
from local_supabase.database import Database
from local_supabase.datadir import DataDir
from local_supabase.edge import AccessLog, ApiKeyCheck, Cors
from local_supabase.identity import TokenVerifier
from local_supabase.keys import load_keys
from local_supabase.settings import HOST, Settings

SERVICES = ("rest", "auth", "realtime", "storage", "functions")
_MAX_FRAME_BYTES = 5_000_000

Lifespan = Callable[[Context], AbstractAsyncContextManager[object]]
Routes = Callable[[Context], Sequence[BaseRoute]]

_log = logging.getLogger("local_supabase.gateway")


async def build(context: Context, stack: AsyncExitStack) -> ASGIApp:
    """Enter the services' lifespans into `stack` and return the whole application."""
    mounts = [
        Mount(f"/{name}/v1", app=await _service(name, context, stack)) for name in (*SERVICES, "graphql")
    ]

    async def health(_: Request) -> Response:
        async with context.database.as_admin() as connection:
            await connection.fetchval("select 1")
        return JSONResponse({"status": "ok"})

    app = Starlette(
        routes=[Route("/", _root), Route("/health", health), *mounts],
        exception_handlers={404: _unknown_path},
    )
    return AccessLog(Cors(ApiKeyCheck(app, context.verifier)), _log)


async def _service(name: str, context: Context, stack: AsyncExitStack) -> ASGIApp:
    if importlib.util.find_spec(f"local_supabase.{name}") is None:
        return _not_there(name)
    try:
        return await _start_service(importlib.import_module(f"local_supabase.{name}"), context, stack)
    except Exception:
        # One service that cannot start (its optional package is missing, say) must not take the others with it.
        _log.exception("The %s service did not start; it answers 501", name)
        return _not_there(name)


async def _start_service(module: ModuleType, context: Context, stack: AsyncExitStack) -> ASGIApp:
    lifespan = cast("Lifespan | None", getattr(module, "lifespan", None))
    if lifespan is not None:
        await stack.enter_async_context(lifespan(context))
    routes = cast("Routes", module.routes)
    return Starlette(routes=list(routes(context)))


def _not_there(name: str) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011})
            return
        body = {"code": "not_implemented", "message": f"The embedded Supabase has no {name} service."}
        await JSONResponse(body, status_code=501)(scope, receive, send)

    return answer


async def _root(_: Request) -> Response:
    services = {name: f"/{name}/v1" for name in SERVICES}
    return JSONResponse({"message": "The embedded Supabase is running.", "services": services})


async def _unknown_path(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "requested path is invalid"}, status_code=404)


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    keys = load_keys(settings.data_dir)
    async with AsyncExitStack() as stack:
        database = await Database.open(settings, keys)
        stack.push_async_callback(database.close)
        context = Context(
            settings, keys, database, TokenVerifier(keys.jwt_secret), logging.getLogger("local_supabase")
        )
        app = await build(context, stack)
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=_MAX_FRAME_BYTES,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=65,
        )
        _log.info("listening on %s", settings.url)
        await uvicorn.Server(config).serve(sockets=[listener])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gateway on the listening socket it inherits from the supervisor."""
    parser = argparse.ArgumentParser(prog="python -m local_supabase.gateway")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--db-port", type=int, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
        force=True,
    )
    settings = Settings(options.port, options.db_port, options.project, DataDir(options.data_dir), HOST)
    with socket.socket(fileno=options.listener) as listener:
        asyncio.run(serve(settings, listener))
    return 0


if __name__ == "__main__":
    sys.exit(main())
