"""The websocket protocol of the web server, with connections that can be cut off and a log without keys.

Closing in order waits until the client has read what was written, which may be never.
"""

import logging
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import cast

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

_EXTENSION = "local_supabase.abort"
# The server's own log has a line for each handshake, with its query, in which the project's key is.
_log = logging.getLogger("local_supabase.websockets")
_log.setLevel(logging.WARNING)


class AbortableWebSocketProtocol(WebSocketsSansIOProtocol):
    """Tells the application how to cut its connection, as an extension of the ASGI scope."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin as always, under a logger that leaves handshakes out."""
        self.logger = _log
        super().connection_made(transport)

    def handle_connect(self, event: Request) -> None:
        """Begin as always; the application's task, made here, first runs later."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            extensions = cast("dict[str, object]", self.scope["extensions"])
            extensions[_EXTENSION] = self.transport.abort


def abort(websocket: WebSocket) -> None:
    """Cut a connection, dropping what it has not read; without the protocol above it is closed in order."""
    cut = websocket.scope.get("extensions", {}).get(_EXTENSION)
    if cut is not None:
        cast("Callable[[], None]", cut)()
