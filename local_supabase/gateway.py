"""The gateway process: every service of the stack behind one loopback port."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import cast

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local_supabase.auth.mailbox import Mailbox
from local_supabase.auth.mailbox_page import mailbox_routes
from local_supabase.cluster import postmaster_pid
from local_supabase.config import load_config
from local_supabase.context import Context
from local_supabase.database import Database, DatabaseBusy, DatabaseUnavailable
from local_supabase.datadir import DataDir
from local_supabase.edge import AccessLog, ApiKeyCheck, Cors
from local_supabase.identity import TokenVerifier
from local_supabase.keys import load_keys
from local_supabase.settings import Settings
from local_supabase.websocket_protocol import AbortableWebSocketProtocol

SERVICES = ("rest", "auth", "realtime", "storage", "functions")
_MAX_FRAME_BYTES = 5_000_000
_OPEN_FILES = 65_536

Lifespan = Callable[[Context], AbstractAsyncContextManager[object]]
Routes = Callable[[Context], Sequence[BaseRoute]]

_log = logging.getLogger("local_supabase.gateway")


class ServiceHealth(StrEnum):
    """How a service is, as `/health` tells it."""

    OK = "ok"
    OFF = "switched off"
    FAILED = "did not start"


async def build(context: Context, stack: AsyncExitStack) -> ASGIApp:
    """Enter the services' lifespans into `stack` and return the whole application."""
    running: dict[str, ServiceHealth] = {}
    mounts = [await _mount(name, context, stack, running) for name in (*SERVICES, "graphql")]

    async def health(_: Request) -> Response:
        async with context.database.as_admin() as connection:
            await connection.fetchval("select 1")
        return JSONResponse({"status": "ok", "services": {"database": ServiceHealth.OK, **running}})

    app = Starlette(
        routes=[Route("/", _root), Route("/health", health), *_pages(context), *mounts],
        exception_handlers={
            404: _unknown_path,
            HTTPException: _refused,
            Exception: _unexpected,
            DatabaseUnavailable: _database_unavailable,
            DatabaseBusy: _database_busy,
        },
    )
    return AccessLog(Cors(ApiKeyCheck(app, context.verifier)), _log)


def _pages(context: Context) -> list[Route]:
    return mailbox_routes(Mailbox(context.settings.data_dir.mailbox), context.settings.url)


async def _mount(
    name: str, context: Context, stack: AsyncExitStack, running: dict[str, ServiceHealth]
) -> Mount:
    path = f"/{name}/v1"
    if name in context.settings.config.switched_off:
        running[name] = ServiceHealth.OFF
        return Mount(path, app=_not_there(f"The {name} service is switched off in config.toml."))
    if importlib.util.find_spec(f"local_supabase.{name}") is None:
        return Mount(path, app=_not_there(f"The embedded Supabase has no {name} service."))
    try:
        module = importlib.import_module(f"local_supabase.{name}")
        # Plain routes, so that errors none of them handles reach the handlers of the whole.
        routes = await _start_service(module, context, stack)
    except Exception:
        # One service that cannot start (a setting makes no sense, say) must not take the others with it.
        _log.exception("The %s service did not start", name)
        running[name] = ServiceHealth.FAILED
        return Mount(path, app=_not_there(f"The {name} service did not start; gateway.log says why."))
    running[name] = ServiceHealth.OK
    return Mount(path, routes=routes)


async def _start_service(module: ModuleType, context: Context, stack: AsyncExitStack) -> list[BaseRoute]:
    lifespan = cast("Lifespan | None", getattr(module, "lifespan", None))
    if lifespan is not None:
        await stack.enter_async_context(lifespan(context))
    routes = cast("Routes", module.routes)
    return list(routes(context))


def _not_there(message: str) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011})
            return
        body = {"code": "not_implemented", "message": message}
        await JSONResponse(body, status_code=501)(scope, receive, send)

    return answer


async def _root(_: Request) -> Response:
    services = {name: f"/{name}/v1" for name in SERVICES}
    return JSONResponse({"message": "The embedded Supabase is running.", "services": services})


async def _unknown_path(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "requested path is invalid"}, status_code=404)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it"
    return JSONResponse({"message": error.detail}, status_code=error.status_code, headers=error.headers)


async def _unexpected(_: Request, __: Exception) -> Response:
    # The words of Supabase's gateway. The error itself goes to the log, never to the caller.
    return JSONResponse({"message": "An unexpected error occurred"}, status_code=500)


# PostgREST's words; the other services of a project without its database say no better.
async def _database_unavailable(_: Request, __: Exception) -> Response:
    return _postgrest_error(503, "PGRST001", "Database client error. Retrying the connection.")


async def _database_busy(_: Request, __: Exception) -> Response:
    return _postgrest_error(504, "PGRST003", "Timed out acquiring connection from connection pool.")


def _postgrest_error(status: int, code: str, message: str) -> Response:
    body = {"code": code, "details": None, "hint": None, "message": message}
    return JSONResponse(body, status_code=status)


async def serve(settings: Settings, listener: socket.socket, lifeline: int) -> None:
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
            ws=AbortableWebSocketProtocol,
            ws_max_size=_MAX_FRAME_BYTES,
            # As on the hosted server; compressing each frame for each client would cost more than it saves.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=65,
        )
        _log.info("listening on %s", settings.url)
        server = uvicorn.Server(config)
        asyncio.get_running_loop().add_reader(lifeline, _orphaned, server, settings, lifeline)
        await server.serve(sockets=[listener])


def _orphaned(server: uvicorn.Server, settings: Settings, lifeline: int) -> None:
    """End with the supervisor, and take Postgres along: only reached where the kernel does neither."""
    asyncio.get_running_loop().remove_reader(lifeline)
    _log.error("the supervisor is gone; ending")
    server.should_exit = True
    pid = postmaster_pid(settings.data_dir.cluster)
    if pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGINT)


def allow_many_sockets() -> None:
    """Raise the limit of open files, which is often 1024, as far as it goes without privileges."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gateway on the listening socket it inherits from the supervisor."""
    parser = argparse.ArgumentParser(prog="python -m local_supabase.gateway")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--db-port", type=int, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
        force=True,
    )
    allow_many_sockets()
    config = load_config(options.project)
    settings = Settings(options.port, options.db_port, options.project, DataDir(options.data_dir), config)
    with socket.socket(fileno=options.listener) as listener:
        asyncio.run(serve(settings, listener, options.lifeline))
    return 0


if __name__ == "__main__":
    sys.exit(main())
