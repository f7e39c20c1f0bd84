"""The pictures of people and events, for the browsers of viewers.

The server passes them on from the project's Storage, so that a browser calls no other host, and that what
people have stored there themselves is looked at first. Only a picture that a profile or an event
shows is found, so requests for others cost nothing. Each has an address of its own for good, so browsers ask
once.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, cast

import anyio
import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api.backend import Backend, BackendFactory, Threads, open_backend
from api.errors import ServiceUnavailableError
from db.hub import event_pictures, pictures
from db.hub.models import Event, User
from db.hub.pictures import MIME_TYPE, is_small
from livetables.tables.snapshot import Snapshot

_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FILE: Final = re.compile(rf"(?P<picture>{_UUID})\.webp")
_MOST_KEPT: Final = 500
"""Pictures in memory: 32 MB at most, and usually 5."""
_HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
}

_log: Final = logging.getLogger("tavern.api")


@dataclass(frozen=True, slots=True)
class Kind:
    """Whose pictures: the table whose rows name them, where Storage has them, and how large they may be."""

    table: str
    public_path: Callable[[str, str], str]
    limit: int


PEOPLE: Final = Kind("users", pictures.public_path, pictures.LIMIT)
EVENTS: Final = Kind("events", event_pictures.public_path, event_pictures.LIMIT)


class Pictures:
    """The routes below `path`, such as `avatars`. Create it outside or inside the server's event loop."""

    def __init__(self, factory: BackendFactory, path: str, kind: Kind = PEOPLE) -> None:
        self._kind = kind
        self._factory = factory
        self._path = path
        self._threads = Threads()
        self._backend: Backend | None = None
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._loading: dict[str, anyio.Lock] = {}

    def routes(self, base_path: str = "") -> list[Route]:
        """Return the routes, for a server that offers its pages under `base_path`."""
        prefix = f"/{base_path.strip('/')}" if base_path.strip("/") else ""
        return [Route(f"{prefix}/{self._path}/{{user}}/{{file}}", self._answer)]

    async def _answer(self, request: Request) -> Response:
        found = _FILE.fullmatch(request.path_params["file"])
        content = None
        if found:
            try:
                content = await self._find(request.path_params["user"], found["picture"])
            except ServiceUnavailableError:
                return _missing(HTTPStatus.SERVICE_UNAVAILABLE)
        return (
            _missing(HTTPStatus.NOT_FOUND) if content is None else Response(content, 200, _HEADERS, MIME_TYPE)
        )

    async def _find(self, row_id: str, picture: str) -> bytes | None:
        """Return a picture that is shown now."""
        if self._backend is None:
            self._backend = await open_backend(self._threads, self._factory)
        rows = cast("Snapshot[User | Event]", self._backend.engine.tables()[self._kind.table])
        row = rows.get((row_id,))
        if row is None or row.picture != picture:
            return None
        # Many tabs may ask for a new one at once.
        async with self._loading.setdefault(picture, anyio.Lock()):
            try:
                if picture not in self._kept:
                    path = self._kind.public_path(row_id, picture)
                    self._keep(picture, await self._threads.run(_read, self._backend, path, self._kind.limit))
                return self._kept.get(picture)
            finally:
                self._loading.pop(picture, None)

    def _keep(self, picture: str, content: bytes | None) -> None:
        if content is None:
            return
        self._kept[picture] = content
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _read(backend: Backend, path: str, limit: int) -> bytes | None:
    """Read a picture from Storage; None if it is not there, or not as the app makes them."""
    try:
        answer = backend.clients.request("GET", path)
    except httpx.HTTPError as error:
        _log.warning("A picture could not be read: %s", error)
        return None
    content = answer.content
    return content if answer.is_success and len(content) <= limit and is_small(content) else None


def _missing(status: HTTPStatus) -> Response:
    return PlainTextResponse(status.phrase, status, {"cache-control": "no-store"})
