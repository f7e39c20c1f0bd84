"""Supabase Realtime, mounted at /realtime/v1: database changes, broadcasts and presence over websockets."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute, Route, WebSocketRoute

from local_supabase.context import Context
from local_supabase.keys import Login
from local_supabase.realtime.http import HttpBroadcasts
from local_supabase.realtime.limits import Limits
from local_supabase.realtime.server import RealtimeServer

# One server a context: its lifespan makes it before its routes are asked for.
_servers: dict[int, RealtimeServer] = {}


@asynccontextmanager
async def lifespan(context: Context) -> AsyncIterator[None]:
    """Run Realtime for as long as the gateway does."""
    dsn = context.settings.dsn(context.keys, Login.SUPABASE_ADMIN)
    log = context.log.getChild("realtime")
    async with RealtimeServer.running(dsn, context.verifier, Limits.from_environment(), log) as server:
        _servers[id(context)] = server
        try:
            yield
        finally:
            del _servers[id(context)]


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes of a running Realtime."""
    return server_routes(_servers[id(context)])


def server_routes(server: RealtimeServer) -> Sequence[BaseRoute]:
    """Return the routes of a server."""
    broadcasts = HttpBroadcasts(server.services)
    return [
        WebSocketRoute("/websocket", server.serve),
        Route("/api/broadcast", broadcasts.batch, methods=["POST"]),
        Route("/api/broadcast/{topic:path}/events/{event:path}", broadcasts.single, methods=["POST"]),
    ]
