"""uvicorn's websocket protocol with two changes: connections can be aborted, and handshakes are not logged.

An orderly close waits until the client has read everything that was sent. A stalled client never does.
"""

import logging
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import cast

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

_EXTENSION = "local_supabase.abort"
# uvicorn logs each handshake with its query string, which contains the project's key.
_log = logging.getLogger("local_supabase.websockets")
_log.setLevel(logging.WARNING)


class AbortableWebSocketProtocol(WebSocketsSansIOProtocol):
    """Offers the application an `abort` function, as an extension of the ASGI scope."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Set up the connection with a logger that omits handshakes."""
        self.logger = _log
        super().connection_made(transport)

    def handle_connect(self, event: Request) -> None:
        """Add the extension. The application's task, which this call creates, has not run yet."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            extensions = cast("dict[str, object]", self.scope["extensions"])
            extensions[_EXTENSION] = self.transport.abort


def abort(websocket: WebSocket) -> None:
    """Abort a connection and drop what the client has not read.

    Under a server without this protocol, it does nothing.
    """
    abort_transport = websocket.scope.get("extensions", {}).get(_EXTENSION)
    if abort_transport is not None:
        cast("Callable[[], None]", abort_transport)()
