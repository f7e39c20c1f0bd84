"""Forwards requests over HTTP to the process of Realtime, over connections that are handed over to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import h11
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_supabase.handover import Giver
from local_supabase.service_health import ServiceHealth

# Longer than the supervisor takes to replace a process that does not answer.
_ANSWER_SECONDS = 30.0
_HEALTH_SECONDS = 2.0
_READ_BYTES = 65_536
# They are about one connection, or about how a body is sent over it.
_ONE_CONNECTION = frozenset(
    b"connection content-length expect keep-alive te trailer transfer-encoding upgrade".split()
)
_OURS = frozenset({b"date", b"server"})

Headers = Sequence[tuple[bytes, bytes]]


class Forwarder:
    """Forwards requests to the process at the taking end of a channel.

    Each request has a connection of its own: an older one might lead to a process that has been replaced.

    Arguments:
        giver: hands it the other end of each connection.
    """

    def __init__(self, giver: Giver) -> None:
        self._giver = giver

    async def forward(self, request: Request) -> Response:
        """Return the other process's answer: 502 if it broke off, 504 if it does not come within 30 s."""
        target: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        if query := request.scope["query_string"]:
            target += b"?" + query
        headers = [header for header in request.headers.raw if header[0] not in _ONE_CONNECTION]
        body = await request.body()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer, body = await self._ask(request.method, target, headers, body)
        except TimeoutError:
            # Both messages are those of hosted projects' gateway.
            return JSONResponse({"message": "The upstream server is timing out"}, status_code=504)
        except (OSError, h11.RemoteProtocolError):
            message = "An invalid response was received from the upstream server"
            return JSONResponse({"message": message}, status_code=502)
        response = Response(body, status_code=answer.status_code)
        response.raw_headers += [
            header for header in answer.headers if header[0] not in _ONE_CONNECTION | _OURS
        ]
        return response

    async def health(self) -> ServiceHealth:
        """Return what the other process says about itself, within 2 s."""
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                _, body = await self._ask("GET", b"/health", [(b"host", b"realtime")], b"")
                return ServiceHealth(body.decode())
        except (TimeoutError, OSError, h11.RemoteProtocolError, ValueError):
            return ServiceHealth.SILENT

    async def _ask(
        self, method: str, target: bytes, headers: Headers, body: bytes
    ) -> tuple[h11.Response, bytes]:
        ours, theirs = socket.socketpair()
        with theirs:
            self._giver.give(theirs.fileno(), b"")
        reader, writer = await asyncio.open_connection(sock=ours)
        client = h11.Connection(h11.CLIENT)
        length = (b"content-length", str(len(body)).encode())
        request = h11.Request(method=method, target=target, headers=[*headers, length])
        try:
            for event in (request, h11.Data(body), h11.EndOfMessage()):
                writer.write(client.send(event) or b"")
            return await _answer(client, reader)
        finally:
            writer.close()


async def _answer(client: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Response, bytes]:
    answer: h11.Response | None = None
    body = bytearray()
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Response):
            answer = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and answer is not None:
            return answer, bytes(body)
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError
