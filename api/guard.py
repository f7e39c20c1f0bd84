"""The outermost middleware: it limits bodies, logs every request, and answers whatever goes wrong.

The log has the method, path, status, time and person of a request. It has no headers, query or body, because
they may hold secrets. It does not have what machines ask every few seconds, unless that breaks.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooLargeError, problem_response

_log: Final = logging.getLogger("tavern.api")

_UNPRINTABLE: Final = re.compile(r"[^\x21-\x7e]")
_LONGEST_PATH: Final = 200
_FREQUENT: Final = ("/health", "/metrics")
_USUAL: Final = (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)


def _needs_no_store(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Return whether a response is JSON that says nothing about caching."""
    values = {name.lower(): value for name, value in headers}
    return b"json" in values.get(b"content-type", b"") and b"cache-control" not in values


class Guard:
    """The middleware. `largest_body` is in bytes."""

    def __init__(self, app: ASGIApp, largest_body: int) -> None:
        self._app = app
        self._largest_body = largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _GuardedRequest(scope, receive, send, self._largest_body).run(self._app)


class _GuardedRequest:
    """One request and its response."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, largest_body: int) -> None:
        self._scope = scope
        self._receive_from = receive
        self._send_to = send
        self._largest_body = largest_body
        self._id = uuid.uuid4().hex[:12]
        self._received = 0
        self._status: int | None = None

    async def run(self, app: ASGIApp) -> None:
        started = time.perf_counter()
        try:
            await self._run(app)
        finally:
            self._log_request(time.perf_counter() - started)

    async def _run(self, app: ASGIApp) -> None:
        declared = dict(self._scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._largest_body:
            await self._send_too_large()
            return
        try:
            await app(self._scope, self._receive, self._send)
        except ClientDisconnect:
            _log.debug("%s: the caller has disconnected", self._id)
        except Exception:
            _log.exception("%s: the request failed", self._id)
            if self._status is not None:
                raise
            await self._send_failed()

    async def _receive(self) -> Message:
        message = await self._receive_from()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self._received > self._largest_body:
                raise TooLargeError(self._largest_body)
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self._id.encode())]
            if _needs_no_store(headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*headers, (b"x-content-type-options", b"nosniff")]}
        await self._send_to(message)

    async def _send_too_large(self) -> None:
        error = TooLargeError(self._largest_body)
        response = problem_response(error.status_code, error.detail, headers=error.headers)
        await response(self._scope, self._receive_from, self._send)

    async def _send_failed(self) -> None:
        detail = f"Something went wrong here. If it stays so, tell who runs this Tavern: request {self._id}."
        response = problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
        await response(self._scope, self._receive_from, self._send)

    def _log_request(self, seconds: float) -> None:
        if self._status in _USUAL and self._scope["path"].endswith(_FREQUENT):
            return
        _log.info(
            "%s %s %s %s %.0f ms %s",
            self._id,
            self._scope["method"],
            _UNPRINTABLE.sub("?", self._scope["path"])[:_LONGEST_PATH],
            self._status if self._status is not None else "-",
            1000 * seconds,
            self._scope.get("tavern.user_id", "-"),
        )
