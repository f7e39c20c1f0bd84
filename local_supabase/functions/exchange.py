"""One call of a worker over its socket, HTTP/1.1 in both directions at once.

A function may answer while it still reads the request. A client that first sends a whole request and then
reads the answer would wait for ever when both are large, so this is not `httpx`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, cast

import h11

_CHUNK_BYTES: Final = 64 * 1024
_HEAD_BYTES: Final = 128 * 1024


class WorkerGoneError(Exception):
    """The worker cannot be reached, ended the connection too early, or does not speak HTTP."""


class Exchange:
    """A request and its answer. `open` makes one.

    Sending and receiving may run in two tasks. After `abort`, both end with `WorkerGoneError`.
    """

    def __init__(
        self, reader: asyncio.StreamReader, reading: asyncio.StreamWriter, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._reading = reading
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)

    @classmethod
    async def open(cls, address: Path) -> Exchange:
        """Connect to the socket of a worker.

        Raises:
            WorkerGoneError: nobody listens there.
        """
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, str(address))
            sending = connection.dup()
        except OSError as error:
            connection.close()
            raise WorkerGoneError(str(error)) from error
        # A worker may answer and close without reading the rest. An error of sending ends its transport, and
        # would drop the answer if it were read over the same one.
        reader, reading = await asyncio.open_unix_connection(sock=connection, limit=_CHUNK_BYTES)
        _, writer = await asyncio.open_unix_connection(sock=sending)
        cast("asyncio.Transport", writer.transport).pause_reading()
        return cls(reader, reading, writer)

    async def send_head(self, method: str, target: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send the request line and the headers, which say how long the body is."""
        await self._send(h11.Request(method=method, target=target, headers=list(headers)))

    async def send_body(self, part: bytes) -> None:
        """Send a part of the body. Waits while the function does not read it."""
        await self._send(h11.Data(part))

    async def end_body(self) -> None:
        """End the request."""
        await self._send(h11.EndOfMessage())

    async def answer(self) -> h11.Response:
        """Return the status and the headers of the answer."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise WorkerGoneError("it ended the connection without an answer")

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body of the answer as it arrives."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            else:
                raise WorkerGoneError("it ended the connection within its answer")

    def abort(self) -> None:
        """End the connection at once."""
        self._reading.transport.abort()
        self._writer.transport.abort()

    async def _send(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        try:
            data = self._http.send(event)
            if data:
                self._writer.write(data)
                await self._writer.drain()
        except (OSError, h11.LocalProtocolError) as error:
            raise WorkerGoneError(str(error)) from error

    async def _next(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            event = self._http.next_event()
            while event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_CHUNK_BYTES))
                event = self._http.next_event()
        except (OSError, h11.RemoteProtocolError) as error:
            raise WorkerGoneError(str(error)) from error
        return event
