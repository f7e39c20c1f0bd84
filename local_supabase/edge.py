"""The gateway's middleware: CORS, the API key check and the access log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_supabase.identity import TokenError, TokenVerifier

# These services require an API key. Realtime, Storage and Functions check their callers themselves.
_KEYED = ("/rest/v1", "/auth/v1", "/graphql/v1")
# Browsers open these from a mail, without a key, or anybody may read them.
_PUBLIC = ("/auth/v1/verify", "/auth/v1/callback", "/auth/v1/authorize", "/auth/v1/.well-known/")
_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT"
_EXPOSED = (
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, "
    "Transfer-Encoding, Range-Unit, Link, X-Total-Count, X-Supabase-Api-Version, "
    "x-sb-error-code, x-relay-error, SB-Request-ID"
)


class Cors:
    """Allows every origin, as Supabase's gateway does: keys protect the services, not origins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer preflight requests, and add the CORS headers to every other response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in request:
            await _preflight(request)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Access-Control-Allow-Origin", "*")
                headers.setdefault("Access-Control-Expose-Headers", _EXPOSED)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _preflight(request: Headers) -> Response:
    return Response(
        headers={
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": request.get("access-control-request-headers", "*"),
            "Access-Control-Max-Age": "3600",
        }
    )


class ApiKeyCheck:
    """Refuses requests without a valid API key, with the hosted gateway's messages."""

    def __init__(self, app: ASGIApp, verifier: TokenVerifier) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests that need no key or have a valid one."""
        if scope["type"] != "http" or not _needs_key(scope["path"]):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(_api_key(scope))
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, key: str | None) -> Response | None:
        if key is None:
            message = "No API key found in request"
            return _unauthorized(message, "No `apikey` request header or url param was found.")
        try:
            self._verifier.verify(key)
        except TokenError:
            hint = "Double check your Supabase `anon` or `service_role` API key."
            return _unauthorized("Invalid API key", hint)
        return None


class AccessLog:
    """Logs each request: method, path, status, milliseconds. It omits the query, which may hold tokens.

    Arguments:
        app: what serves the requests.
        log: the logger.
        unlogged: a path that is asked all the time.
    """

    def __init__(self, app: ASGIApp, log: logging.Logger, unlogged: str = "") -> None:
        self._app = app
        self._log = log
        self._unlogged = unlogged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, then log it."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] == self._unlogged:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            method = scope.get("method", "WS")
            elapsed = (time.perf_counter() - began) * 1000
            self._log.info("%s %s %s %.1fms", method, _printable(scope["path"]), status or "-", elapsed)


def _needs_key(path: str) -> bool:
    return _is_under(path, _KEYED) and not path.startswith(_PUBLIC)


def _is_under(path: str, prefixes: Iterable[str]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def _api_key(scope: Scope) -> str | None:
    header = Headers(scope=scope).get("apikey")
    if header:
        return header
    values = parse_qs(scope["query_string"].decode("latin-1")).get("apikey")
    return values[0] if values else None


def _unauthorized(message: str, hint: str) -> Response:
    return JSONResponse({"message": message, "hint": hint}, status_code=401)


def _printable(path: str) -> str:
    return path.encode("unicode_escape").decode("ascii")[:300]
