"""The middleware in front of Streamlit's own routes: it refuses what strangers may not do there.

- Websockets and uploads are taken only from pages of this server. Another page in the browser, such as one
  of another port of this machine, would otherwise act with the person's cookie. Browsers always send the
  `Origin` of a page; a program that sends none has no cookie of somebody else either.
- Uploads are taken only for sessions that show an uploader, and only so many bytes.
- Streamlit's metrics are not public.
- Pages load pictures from this server only, so that no text that somebody wrote can make a viewer's browser
  call another host for one.

It also tells pages how often to ask whether the server answers (`ui/base/server.js`): all of them together at
most 50 times a second.
"""

from __future__ import annotations

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

_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_POLICY: Final = "img-src 'self' data: blob:"
_FRAMING: Final = 10_000
"""Bytes that a multipart body has beside the file."""
_ASK_AFTER: Final = "x-ask-after"
_SHORTEST_PAUSE: Final = 3  # seconds
_ASKED_A_SECOND: Final = 50


class RequestGuard:
    """The middleware. `uploads` says who may upload."""

    def __init__(self, app: ASGIApp, uploads: Uploads = UPLOADS) -> None:
        self._app = app
        self._uploads = uploads
        self._pages = 0  # each has one websocket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or _INTERNAL not in scope["path"]:
            await self._app(scope, receive, _with_policy(send))
            return
        if not is_same_origin(scope):
            await _refuse(scope, receive, send, HTTPStatus.FORBIDDEN, "This page may not connect here.")
        elif _METRICS.search(scope["path"]):
            await _refuse(scope, receive, send, HTTPStatus.NOT_FOUND, "Not Found")
        elif upload := _UPLOAD.search(scope["path"]):
            await self._upload(upload["session"], upload["file"], scope, receive, send)
        elif scope["type"] == "websocket":
            self._pages += 1
            try:
                await self._app(scope, receive, send)
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


def is_same_origin(scope: Scope) -> bool:
    """Return whether a request is of a page of this server, or of no page at all.

    The host is what the browser, or the proxy in front of this server, asked for.
    """
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        page = urlsplit(origin)
        host = urlsplit(f"//{headers.get('host', '')}")
        # Behind a proxy that ends TLS this server sees http, and the host has no port.
        port = host.port or _DEFAULT_PORTS.get(page.scheme)
        return (page.hostname, page.port or _DEFAULT_PORTS.get(page.scheme)) == (host.hostname, port)
    except ValueError:  # not an address, or not a port
        return False


async def _refuse(scope: Scope, receive: Receive, send: Send, status: HTTPStatus, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()  # the request to connect
        # Closing before accepting answers the handshake with 403.
        await send(_CLOSE)
        return
    await PlainTextResponse(reason, status)(scope, receive, send)


_CLOSE: Final[Message] = {"type": "websocket.close", "code": 1008}
