"""The middleware in front of Streamlit's own routes: it refuses what strangers may not do there.

- Websockets and uploads are taken only from pages of this server. Another page in the browser, such as one
  of another port of this machine, would otherwise act with the person's cookie. Browsers always send the
  `Origin` of a page; a program that sends none has no cookie of somebody else either.
- Uploads are taken only for sessions that show an uploader, and only so many bytes.
- A page's message may not be large: the session would keep it.
- Streamlit's metrics are not public.
- Pages load pictures from this server only, so that no text that somebody wrote can make a viewer's browser
  call another host for one.

It also tells pages how often to ask whether the server answers (`ui/base/server.js`): all of them together at
most 50 times a second.
"""

from __future__ import annotations

import os
import re
from http import HTTPStatus
from math import ceil
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.base.uploads import UPLOADS, Uploads

_UPLOAD: Final = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/(?P<file>[^/]+)/?$")
_METRICS: Final = re.compile(r"/_stcore/metrics/?$")
_HEALTH: Final = re.compile(r"/_stcore/health/?$")
_INTERNAL: Final = "/_stcore/"

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ORIGIN: Final = re.compile(r"https?://(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?", re.ASCII | re.IGNORECASE)
_SECURE: Final = frozenset(("https", "wss"))
_MAPPED_LOOPBACK: Final = frozenset(("::1", "::ffff:127.0.0.1"))
_PUBLIC_ORIGIN: Final = "TAVERN_ORIGIN"
_POLICY: Final = "img-src 'self' data: blob:"
_FRAMING: Final = 10_000
"""Bytes that a multipart body has beside the file."""
_MESSAGE_BYTES: Final = 5_000_000
"""Of a message from a page: what people have typed into all of its widgets."""
_TOO_BIG: Final = 1009
_ASK_AFTER: Final = "x-ask-after"
_SHORTEST_PAUSE: Final = 3  # seconds
_ASKED_A_SECOND: Final = 50


class RequestGuard:
    """The middleware. `uploads` says who may upload, and `TAVERN_ORIGIN` what the server's origin is."""

    def __init__(self, app: ASGIApp, uploads: Uploads = UPLOADS) -> None:
        self._app = app
        self._uploads = uploads
        self._public = os.environ.get(_PUBLIC_ORIGIN, "").rstrip("/") or None
        self._pages = 0  # each has one websocket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or _INTERNAL not in scope["path"]:
            await self._app(scope, receive, _with_policy(send))
            return
        if not is_same_origin(scope, self._public):
            await _refuse(scope, receive, send, HTTPStatus.FORBIDDEN, "This page may not connect here.")
        elif _METRICS.search(scope["path"]):
            await _refuse(scope, receive, send, HTTPStatus.NOT_FOUND, "Not Found")
        elif upload := _UPLOAD.search(scope["path"]):
            await self._upload(upload["session"], upload["file"], scope, receive, send)
        elif scope["type"] == "websocket":
            self._pages += 1
            try:
                await self._app(scope, _of_small_messages(receive, send), send)
            finally:
                self._pages -= 1
        elif _HEALTH.search(scope["path"]):
            pause = max(_SHORTEST_PAUSE, ceil(self._pages / _ASKED_A_SECOND))
            await self._app(scope, receive, _with_header(send, _ASK_AFTER, str(pause)))
        else:
            await self._app(scope, receive, send)

    async def _upload(self, session: str, file: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "DELETE":
            self._uploads.removed(session, file)
        if scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        room = self._uploads.room(session)
        length = Headers(scope=scope).get("content-length", "")
        if not room:
            await _refuse(scope, receive, send, HTTPStatus.FORBIDDEN, "No file can be uploaded here now.")
        elif not length.isdecimal():
            await _refuse(scope, receive, send, HTTPStatus.LENGTH_REQUIRED, "Send the length of the file.")
        elif int(length) > room + _FRAMING:
            await _refuse(scope, receive, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The file is too large.")
        else:
            # The server reads no more of a body than its length says.
            self._uploads.arrived(session, file, int(length))
            await self._app(scope, receive, send)


def _of_small_messages(receive: Receive, send: Send) -> Receive:
    """Return a `receive` that closes a websocket instead of passing a large message on."""

    async def receive_small() -> Message:
        message = await receive()
        content = message.get("bytes") or message.get("text") or b""
        if len(content) <= _MESSAGE_BYTES:
            return message
        await send({"type": "websocket.close", "code": _TOO_BIG})
        return {"type": "websocket.disconnect", "code": _TOO_BIG}

    return receive_small


def _with_policy(send: Send) -> Send:
    """Return a `send` that adds `_POLICY` to pages that have no policy of their own."""

    async def send_page(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html"):
                headers.setdefault("content-security-policy", _POLICY)
        await send(message)

    return send_page


def _with_header(send: Send, name: str, value: str) -> Send:
    """Return a `send` that adds a header to the answer."""

    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[name] = value
        await send(message)

    return send_more


def is_same_origin(scope: Scope, public: str | None = None) -> bool:
    """Return whether a request is of a page of this server, or of no page at all.

    Scheme, host and port of the page must be those of the request. The host is what the browser, or the
    proxy in front of this server, asked for. The scheme is the server's own, or what a proxy says that the
    server trusts (`X-Forwarded-Proto`).

    Arguments:
        scope: the request.
        public: the server's origin, for proxies that say neither; None takes it from the request.
    """
    headers = Headers(scope=scope)
    origins = headers.getlist("origin")
    if not origins:
        return True
    if public is None:
        scheme = "https" if _SECURE & {scope.get("scheme"), _scheme_by_proxy(scope, headers)} else "http"
        public = f"{scheme}://{headers.get('host', '')}"
    page = _parsed(origins[0])
    return len(origins) == 1 and page is not None and page == _parsed(public)


def _scheme_by_proxy(scope: Scope, headers: Headers) -> str | None:
    """Return what a proxy on this machine says. The server itself looks for it on IPv4 only."""
    host, _ = scope.get("client") or ("", 0)
    return headers.get("x-forwarded-proto") if host in _MAPPED_LOOPBACK else None


def _parsed(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; None if it is no origin of a web page, or more than one."""
    if not _ORIGIN.fullmatch(origin):
        return None
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:  # not an address, or not a port
        return None
    return parts.scheme, parts.hostname or "", _DEFAULT_PORTS[parts.scheme] if port is None else port


async def _refuse(scope: Scope, receive: Receive, send: Send, status: HTTPStatus, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()  # the request to connect
        # Closing before accepting answers the handshake with 403.
        await send(_CLOSE)
        return
    await PlainTextResponse(reason, status)(scope, receive, send)


_CLOSE: Final[Message] = {"type": "websocket.close", "code": 1008}
