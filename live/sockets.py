"""Closing what the stock client opened, also where the other side does not take part."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from realtime import AsyncRealtimeClient

_log: Final = logging.getLogger(__name__)

_POLITE: Final = 1.0
"""Seconds for the other side to answer the closing."""


async def give_up(client: AsyncRealtimeClient) -> None:
    """Close the client's websocket. Never raises, and takes no longer than a moment."""
    # Of a dead one nobody answers the closing, and the client would leave its socket open.
    websocket = client._ws_connection  # noqa: SLF001 - the client gives it to nobody
    try:
        async with asyncio.timeout(_POLITE):
            await client.close()
    except Exception as error:
        _log.debug("Closing a dead websocket: %r", error)
    finally:
        if websocket is not None:
            websocket.transport.abort()
