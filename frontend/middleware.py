"""Serves the frontend in front of Streamlit: the files from the compressed copy, and Tavern's page."""

from __future__ import annotations

import gzip
import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import brotli
from servestatic import ServeStaticASGI
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.bundle import find_bundle
from frontend.files import SOURCE, prepared
from frontend.fonts import small_faces
from frontend.page import Look, Small, make_page
from frontend.preview import Preview, Previews
from frontend.search import Search

_log: Final = logging.getLogger("tavern")
_NO_PAGE: Final = re.compile(r"(^|/)(api|_stcore)/")
# Each name holds a hash of the content.
_SCRIPT_HEADERS: Final = {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "max-age=315360000, public, immutable",
    "vary": "Accept-Encoding",
}
_FAST: Final = 5
_MOST_KEPT: Final = 50
"""Pages with a preview in memory."""
_HASHED: Final = r"\.[\w-]{8}\.\w+$"


@dataclass(frozen=True, slots=True)
class Additions:
    """What pages have beside the look: a script that searches in select boxes, and previews of links."""

    search: Search | None = None
    previews: Previews | None = None


_NOTHING_MORE: Final = Additions()


class Frontend:
    """The middleware.

    Arguments:
        app: Streamlit.
        look: what the page shows before its scripts have come.
        additions: what pages have beside it.
        base_path: the path below which Streamlit serves, such as `tavern`.
        source: Streamlit's frontend.
        copy: the compressed copy of it; without one Streamlit serves the files itself.
    """

    def __init__(
        self,
        app: ASGIApp,
        look: Look,
        additions: Additions = _NOTHING_MORE,
        *,
        base_path: str = "",
        source: Path = SOURCE,
        copy: Path | None = None,
    ) -> None:
        folder = copy or prepared()
        small = Small(small_faces(folder / "media"), find_bundle(folder / "js"))
        original = (source / "index.html").read_text(encoding="utf-8")
        page = make_page(original, source / "static" / "js", look, additions.search, small)
        self._pages = _Pages(app, original, _Page(page, look.name, additions.previews), additions.search)
        if not folder.is_dir():
            _log.warning("The frontend is served uncompressed. To compress it once: python -m frontend")
            self._app: ASGIApp = self._pages
            return
        prefix = "/".join(part for part in (base_path.strip("/"), "static") if part)
        files = ServeStaticASGI(
            cast("Any", self._pages), root=folder, prefix=prefix, immutable_file_test=_HASHED,
            allow_all_origins=False,
        )  # fmt: skip
        self._app = cast("ASGIApp", files)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file or the page, or pass the request on."""
        await self._app(scope, receive, send)


class _Pages:
    """Replaces Streamlit's page by Tavern's, whatever its address, and serves the script for it."""

    def __init__(self, app: ASGIApp, original: str, page: _Page, search: Search | None) -> None:
        self._app = app
        self._original = original.encode()
        self._page = page
        self._script = f"/static/js/{search.name}" if search else None
        self._scripts = _compressed(search.text) if search else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        accepted = Headers(scope=scope).get("accept-encoding", "")
        encoding = next((name for name in ("br", "gzip") if name in accepted), "")
        body = self._page.plain[encoding]
        if self._script is not None and scope["path"].endswith(self._script):
            answer = Response(self._scripts[encoding], headers=_SCRIPT_HEADERS)
            if encoding:
                answer.headers["content-encoding"] = encoding
            await answer(scope, receive, send)
            return
        if not _NO_PAGE.search(scope["path"]):
            preview = await self._page.preview(scope)
            if preview is not None:
                encoding = "gzip" if "gzip" in accepted else ""
                body = self._page.with_preview(preview, encoding)
            # Streamlit would compress its page, which then could not be told from others.
            headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, _Replacing(send, self._original, body, encoding))


class _Page:
    """Tavern's page, compressed, and with the preview of what some addresses name."""

    def __init__(self, text: str, site: str, previews: Previews | None) -> None:
        self.plain: Final = _compressed(text)
        self._text = text
        self._site = site
        self._previews = previews
        self.with_preview: Final = lru_cache(_MOST_KEPT)(self._with_preview)

    async def preview(self, scope: Scope) -> Preview | None:
        """Return the preview of the page that a request asks for."""
        try:
            return None if self._previews is None else await self._previews(scope)
        except Exception:
            _log.exception("A page is sent without its preview")
            return None

    def _with_preview(self, preview: Preview, encoding: str) -> bytes:
        """Return the page with a preview; only `gzip` compresses fast enough for a page of its own."""
        text = self._text.replace("</head>", f"{preview.head(self._site)}</head>", 1).encode()
        return gzip.compress(text, _FAST, mtime=0) if encoding else text


def _compressed(text: str) -> dict[str, bytes]:
    data = text.encode()
    return {"br": brotli.compress(data), "gzip": gzip.compress(data, mtime=0), "": data}


class _Replacing:
    """A `send` that holds an answer back while it may be Streamlit's page, and then sends another one."""

    def __init__(self, send: Send, original: bytes, page: bytes, encoding: str) -> None:
        self._send = send
        self._original = original
        self._page = page
        self._encoding = encoding
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._may_be_page(message):
            self._start = message
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        start, body = self._start, self._body
        if body == self._original:
            body = self._page
            headers = MutableHeaders(scope=start)
            headers["content-length"] = str(len(body))
            headers["vary"] = "Accept-Encoding"
            if self._encoding:
                headers["content-encoding"] = self._encoding
            # They are of the file, not of this page.
            for name in ("etag", "last-modified"):
                del headers[name]
        self._start = None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _may_be_page(self, message: Message) -> bool:
        headers = Headers(raw=message.get("headers", []))
        length = headers.get("content-length", "")
        is_html = headers.get("content-type", "").startswith("text/html")
        return message["status"] == 200 and is_html and length == str(len(self._original))
