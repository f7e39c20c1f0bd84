"""The events for calendars and search engines. They are public, so nobody needs a token.

`/events.ics` is what a calendar subscribes to, `/events/<id>.ics` one event to add, and `/events.json` the
upcoming events in schema.org's terms. All are made from the live tables: a request reads nothing from the
database, and what was made for one is kept for the next until an event changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.context import context_of
from api.errors import NotFoundError
from db.hub.calendars import MEDIA_TYPE, as_schema_org, calendar_of
from db.hub.models import Event, Rsvp, User
from livetables.engine import Engine
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot

MOST: Final = 500
"""How many events a file has at most: the next ones."""
_PAST: Final = timedelta(days=30)
"""How long a calendar keeps an event after it, so that a late cancellation arrives."""
_MOST_KEPT: Final = 20
_MOST_HOMES: Final = 4

router: Final = APIRouter(tags=["events"])
_kept: Final[OrderedDict[Hashable, bytes]] = OrderedDict()
_homes: Final[set[str]] = set()


@router.get("/events.ics", response_class=Response, responses={200: {"content": {"text/calendar": {}}}})
async def calendar(request: Request) -> Response:
    """Return a calendar of the events of the last 30 days and the next ones, to subscribe to."""
    engine = await _engine(request)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    shown = _ending_after(_events(engine), today - _PAST)
    return await _answer(request, engine, ("ics", today), lambda home: _calendar(engine, shown, home))


@router.get(
    "/events.json", response_class=Response, responses={200: {"content": {"application/ld+json": {}}}}
)
async def listing(request: Request) -> Response:
    """Return the upcoming events as objects of schema.org's type `Event`."""
    engine = await _engine(request)
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    shown = _ending_after(_events(engine), minute)
    return await _answer(request, engine, ("json", minute), lambda home: _json(engine, shown, home))


@router.get(
    "/events/{event_id}.ics", response_class=Response, responses={200: {"content": {"text/calendar": {}}}}
)
async def one(request: Request, event_id: UUID) -> Response:
    """Return one event as a calendar file."""
    engine = await _engine(request)
    event = _events(engine).get((str(event_id),))
    if event is None:
        raise NotFoundError("There is no such event.")
    answer = await _answer(request, engine, event, lambda home: _calendar(engine, [event], home))
    answer.headers["content-disposition"] = f'attachment; filename="event-{event.id}.ics"'
    return answer


async def _engine(request: Request) -> Engine:
    return (await context_of(request).backend()).engine


async def _answer(request: Request, engine: Engine, what: Hashable, make: Callable[[str], bytes]) -> Response:
    home = _home(request)
    tables = engine.tables()
    key = (what, home, *(tables[name].revision for name in ("events", "rsvps", "users")))
    if key not in _kept:
        _kept[key] = await context_of(request).threads.run(make, home)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    kind = "application/ld+json" if isinstance(what, tuple) and what[0] == "json" else MEDIA_TYPE
    headers = {"cache-control": "public, max-age=60", "access-control-allow-origin": "*"}
    return Response(_kept[key], headers=headers, media_type=kind)


def _home(request: Request) -> str:
    """Return the address of the app as the caller knows it; empty for one of too many.

    Whoever calls can invent names of hosts, and each would be a file of its own.
    """
    home = str(request.base_url).rstrip("/").removesuffix("/api")
    if home not in _homes and len(_homes) < _MOST_HOMES:
        _homes.add(home)
    return home if home in _homes else ""


def _events(engine: Engine) -> Snapshot[Event]:
    return cast("Snapshot[Event]", engine.tables()["events"])


def _ending_after(events: Snapshot[Event], moment: datetime) -> list[Event]:
    ordered = events.derived("by end", lambda rows: sorted(rows.values(), key=lambda each: each.ends_at))
    return [event for event in ordered if event.ends_at > moment][:MOST]


def _calendar(engine: Engine, events: list[Event], home: str) -> bytes:
    return calendar_of(events, _names(engine), home)


def _json(engine: Engine, events: list[Event], home: str) -> bytes:
    rsvps = cast("Snapshot[Rsvp]", engine.tables()["rsvps"])
    taken, names = rsvps.derived("places taken", _places_taken), _names(engine)
    return orjson.dumps(
        [
            as_schema_org(
                event,
                names.get(event.organizer_id, ""),
                None if event.capacity is None else event.capacity - taken.get(event.id, 0),
                home,
            )
            for event in events
        ]
    )


def _places_taken(rows: Rows[Rsvp]) -> dict[str, int]:
    taken: dict[str, int] = {}
    for rsvp in rows.values():
        taken[rsvp.event_id] = taken.get(rsvp.event_id, 0) + rsvp.places
    return taken


def _names(engine: Engine) -> dict[str, str]:
    users = cast("Snapshot[User]", engine.tables()["users"])
    return users.derived("names", lambda rows: {user.id: user.display_name for user in rows.values()})
