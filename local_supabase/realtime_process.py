"""The process of Realtime, beside the gateway's: neither can keep the other from its event loop.

It listens nowhere. The gateway hands websockets over to it, and requests over HTTP arrive the same way.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from local_supabase.edge import AccessLog
from local_supabase.error_responses import exception_handlers, not_implemented
from local_supabase.http_protocol import ConnectionLimits, Connections
from local_supabase.identity import TokenVerifier
from local_supabase.keys import Login, load_keys
from local_supabase.realtime import Limits, RealtimeServer, server_routes
from local_supabase.request_limits import RequestLimits
from local_supabase.service_health import LIVE_PATH, ServiceHealth
from local_supabase.serving import Process, inherited, serve

PATH = "/realtime/v1"
_log = logging.getLogger("local_supabase.realtime")


async def run(process: Process) -> None:
    """Serve until SIGINT or SIGTERM."""
    async with AsyncExitStack() as stack:
        mount, health = await _mount(process, stack)

        async def tell(_: Request) -> Response:
            return PlainTextResponse(health)

        routes = [Route(LIVE_PATH, tell), Route("/health", tell), mount]
        app = Starlette(routes=routes, exception_handlers=exception_handlers())
        connections = Connections(ConnectionLimits.from_environment())
        _log.info("taking connections")
        taking = process.sockets["taking"]
        await serve(AccessLog(RequestLimits(app), _log, LIVE_PATH), process, connections, taking=taking)


async def _mount(process: Process, stack: AsyncExitStack) -> tuple[Mount, ServiceHealth]:
    settings = process.settings
    try:
        keys = load_keys(settings.data_dir)
        stream_dsn = settings.dsn(keys, Login.SUPABASE_ADMIN)
        dsn = settings.dsn(keys, Login.REALTIME)
        verifier = TokenVerifier(keys.jwt_secret)
        running = RealtimeServer.running(stream_dsn, dsn, verifier, Limits.from_environment(), _log)
        server = await stack.enter_async_context(running)
    except Exception:
        # Like any other service that cannot start, for example because of a bad setting.
        _log.exception("The realtime service did not start")
        app = not_implemented("The realtime service did not start; realtime.log says why.")
        return Mount(PATH, app=app), ServiceHealth.FAILED
    return Mount(PATH, routes=list(server_routes(server))), ServiceHealth.OK


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Realtime with the sockets that it inherits from the supervisor.

    Arguments:
        arguments: the command line without the program's name; None takes the process's own.
    """
    process = inherited("local_supabase.realtime_process", ["taking"], arguments)
    with process.sockets["taking"]:
        asyncio.run(run(process))
    return 0


if __name__ == "__main__":
    sys.exit(main())
