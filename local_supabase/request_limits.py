"""Limits the sizes of a request before any service works on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Twice what the proxy of hosted projects takes: a list of 5,000 ids fits.
MAX_URL_BYTES = 32 * 1024
# Names and values together. The HTTP parser itself ends a connection at 64 kB.
MAX_HEADER_BYTES = 32 * 1024
# Ours: hosted projects take more, but they have more memory than this process.
MAX_REST_BODY_BYTES = 10_000_000
# The default of Plug.Parsers, with which the Realtime server reads bodies.
MAX_REALTIME_BODY_BYTES = 8_000_000
MAX_OTHER_BODY_BYTES = 1_000_000
# A client that is still sending cannot read an answer, so this much of a refused body is read and dropped.
_DROPPED_BYTES = 64_000_000
# Of all requests together that are kept whole until they are served.
MAX_HELD_BYTES = int(os.environ.get("LOCAL_SUPABASE_HTTP_HELD_BYTES", 256_000_000))

_BODY_BYTES = {
    "/rest/v1/": MAX_REST_BODY_BYTES,
    "/realtime/v1/": MAX_REALTIME_BODY_BYTES,
    # Auth refuses large bodies itself, in a form of its own.
    "/auth/v1/": sys.maxsize,
}
# These services pass bodies on while they read. They count them themselves, because their limits depend on
# the request.
_STREAMING = ("/storage/v1/", "/functions/v1/")


class BodyTooLargeError(HTTPException):
    """The body of a request exceeds the limit of its service.

    Arguments:
        limit: the most bytes of a body.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The request body is larger than {limit} bytes")


class RequestLimits:
    """Refuses requests with a long address (414), large headers (431) or a large body (413).

    Arguments:
        app: what serves the requests.
        held_bytes: how many bytes of the bodies of all requests together may be in memory. A request that
            would exceed it gets 503.
    """

    def __init__(self, app: ASGIApp, held_bytes: int = MAX_HELD_BYTES) -> None:
        self._app = app
        self._held_bytes = held_bytes
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests within the limits. The body is counted while the service reads it.

        Raises:
            BodyTooLargeError: into the service that reads the body.
        """
        refusal = _head_refusal(scope)
        if refusal is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1009})
                return
            await _drop_body(receive)
            await refusal(scope, receive, send)
            return
        limit = _body_limit(scope)
        if limit is None:
            await self._app(scope, receive, send)
            return
        if _declared_length(scope) > limit:
            await _drop_body(receive)
            await too_large(BodyTooLargeError(limit))(scope, receive, send)
            return
        body = _Body(receive, limit, self._hold)
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._held -= body.received

    def _hold(self, size: int) -> bool:
        """Count bytes that are in memory from now on; return whether there is room for them."""
        self._held += size
        return self._held <= self._held_bytes


class _Body:
    """The body of one request, counted while it arrives.

    Arguments:
        receive: receives the next piece.
        limit: the most bytes.
        hold: counts the bytes of all requests.
    """

    def __init__(self, receive: Receive, limit: int, hold: Callable[[int], bool]) -> None:
        self.received = 0
        self._receive = receive
        self._limit = limit
        self._hold = hold

    async def receive(self) -> Message:
        """Return the next piece.

        Raises:
            BodyTooLargeError: the body is too large.
            HTTPException: 503, because the bodies of all requests are.
        """
        message = await self._receive()
        size = len(message.get("body", b""))
        self.received += size
        has_room = self._hold(size)
        if self.received <= self._limit and has_room:
            return message
        if not has_room:
            # At once, so that what the service has read so far is free again.
            headers = {"Retry-After": "1", "Connection": "close"}
            raise HTTPException(503, "Too many large requests at once", headers)
        if message.get("more_body", False):
            await _drop_body(self._receive)
        raise BodyTooLargeError(self._limit)


def too_large(error: BodyTooLargeError) -> Response:
    """Return the response to a body that is too large, in the form of PostgREST's errors."""
    return _response(413, "request_entity_too_large", error.detail)


def _head_refusal(scope: Scope) -> Response | None:
    if scope["type"] not in {"http", "websocket"}:
        return None
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    if len(path) + len(scope["query_string"]) > MAX_URL_BYTES:
        return _response(414, "uri_too_long", f"The URL is longer than {MAX_URL_BYTES} bytes")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return _response(
            431, "request_headers_too_large", f"The headers are larger than {MAX_HEADER_BYTES} bytes"
        )
    return None


def _body_limit(scope: Scope) -> int | None:
    path = f"{scope['path']}/"
    if scope["type"] != "http" or path.startswith(_STREAMING):
        return None
    limits = (limit for prefix, limit in _BODY_BYTES.items() if path.startswith(prefix))
    return next(limits, MAX_OTHER_BODY_BYTES)


def _declared_length(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


async def _drop_body(receive: Receive) -> None:
    dropped = 0
    while dropped <= _DROPPED_BYTES:
        message = await receive()
        dropped += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


def _response(status: int, code: str, message: str) -> Response:
    body = {"code": code, "details": None, "hint": None, "message": message}
    # The rest of the request may still be on its way, so the connection cannot be used again.
    return JSONResponse(body, status_code=status, headers={"Connection": "close"})
