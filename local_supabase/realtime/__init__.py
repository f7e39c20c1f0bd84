"""Supabase Realtime, mounted at /realtime/v1: database changes, broadcasts and presence over websockets.

Two paths meet in a `Channel`: a client's messages come through `socket`, the database's changes through
`replication` and `fanout`. The wire formats (`framing`, `pgoutput`, `values`, `filters`) are read and written
without I/O. Checking tokens and running SQL for other services is not done here. Start with `server`, then
`channel`.
"""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route, WebSocketRoute

from local_supabase.realtime.http import HttpBroadcasts
from local_supabase.realtime.limits import Limits
from local_supabase.realtime.server import RealtimeServer

__all__ = ["Limits", "RealtimeServer", "server_routes"]


def server_routes(server: RealtimeServer) -> Sequence[BaseRoute]:
    """Return the routes of a server."""
    broadcasts = HttpBroadcasts(server.services)
    return [
        WebSocketRoute("/websocket", server.serve),
        Route("/api/broadcast", broadcasts.batch, methods=["POST"]),
        Route("/api/broadcast/{topic:path}/events/{event:path}", broadcasts.single, methods=["POST"]),
    ]
