"""The previews of links to events, for chats and social networks.

They are made from the live table that everybody may read. A request reads nothing from the database, and
does not wait long for one that has not started yet: the page is then as good without a preview.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Final, cast
from urllib.parse import parse_qs, quote
from uuid import UUID

from starlette.datastructures import Headers
from starlette.types import Scope

from api.backend import Backend, BackendFactory, Threads, open_backend
from api.errors import ServiceUnavailableError
from db.hub.calendars import zone_of
from db.hub.models import Event
from db.hub.pictures import path_of
from frontend.preview import Preview
from livetables.background import start_task
from livetables.tables.snapshot import Snapshot

PATIENCE: Final = 1.0
"""Seconds for which a page waits for the first start of the database."""
_LONGEST: Final = 200
_PAGE: Final = "/event"
PICTURES: Final = "event-pictures"
"""Where the server has the pictures of events, below its pages."""
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?")

_log: Final = logging.getLogger("tavern.api")


class EventPreviews:
    """Finds the preview of an event's page. Create it outside or inside the server's event loop."""

    def __init__(self, factory: BackendFactory) -> None:
        self._factory = factory
        self._threads = Threads()
        self._opening: asyncio.Task[Backend | None] | None = None

    async def __call__(self, scope: Scope) -> Preview | None:
        """Return the preview of the page that a request asks for, None if it is no event's."""
        event_id = event_in(scope)
        backend = None if event_id is None else await self._backend()
        if event_id is None or backend is None:
            return None
        events = cast("Snapshot[Event] | None", backend.engine.tables().get("events"))
        event = None if events is None else events.get((event_id,))
        return None if event is None else preview_of(event, site_of(scope))

    async def _backend(self) -> Backend | None:
        if self._opening is None or (self._opening.done() and self._opening.result() is None):
            self._opening = start_task(self._open())
        await asyncio.wait({self._opening}, timeout=PATIENCE)
        return self._opening.result() if self._opening.done() else None

    async def _open(self) -> Backend | None:
        try:
            return await open_backend(self._threads, self._factory)
        except ServiceUnavailableError:
            _log.info("There are no previews of events yet: the database has not started.")
            return None


def event_in(scope: Scope) -> str | None:
    """Return the id of the event whose page a request asks for, None if it asks for no such page."""
    if not str(scope["path"]).endswith(_PAGE):
        return None
    try:
        named = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20).get("id", [])
        return str(UUID(named[0])) if len(named) == 1 and len(named[0]) == 36 else None
    except ValueError:
        return None


def site_of(scope: Scope) -> str:
    """Return the address at which a request asks for pages, ending in a slash; empty if it names no host."""
    headers = Headers(scope=scope)
    host, scheme = headers.get("host", ""), str(scope.get("scheme", "http"))
    forwarded = headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    if forwarded in {"http", "https"}:
        scheme = forwarded
    below = str(scope["path"]).removesuffix(_PAGE)
    return f"{scheme}://{host}{quote(below)}/" if _HOST.fullmatch(host) else ""


def preview_of(event: Event, site: str = "") -> Preview:
    """Return the preview of an event; its time is that of its own place.

    `site` is the address of the pages, for that of the picture.
    """
    local = event.starts_at.astimezone(zone_of(event))
    when = f"{local:%A}, {local.day} {local:%B %Y}, {local:%H:%M} ({zone_of(event).key})"
    text = " ".join(event.description.split())
    facts = " · ".join(part for part in (when, event.location) if part)
    return Preview(
        title=f"Cancelled: {event.title}" if event.cancelled_at is not None else event.title,
        description=f"{facts}. {_shortened(text)}" if text else facts,
        path=f"event?id={event.id}",
        image=f"{site}{PICTURES}/{path_of(event.id, event.picture)}" if event.picture and site else "",
    )


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"
