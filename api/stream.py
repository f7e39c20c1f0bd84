"""Changes of tables as Server-Sent Events, with the caller's rights."""

from __future__ import annotations

import math
import time
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, status
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from api.auth import SCHEME, Caller, SignedInCaller, caller
from api.context import context_of
from api.errors import Away, Problem, Unauthorized
from api.gate import ends_at
from api.stream_feed import Feed, Sources
from api.stream_hub import Hub, Place
from api.stream_request import LONGEST_FILTER, OFFERED, Wanted, wanted, wrong
from api.stream_tickets import GOOD_FOR, Holder, Tickets
from live.errors import NotAllowedError, ReadError, RefusedQueryError
from live.reads import Reader

_ENDING: Final = 1.0
"""Seconds that streams get to end by themselves when the server stops."""

router = APIRouter(prefix="/stream", tags=["Streams"])


class Ticket(BaseModel):
    """What stands for the access token in the address of one stream."""

    ticket: str = Field(description="Put it into the address: `?ticket=…`. It is good for one stream.")
    expires_in: int = Field(description="Seconds within which the stream has to be opened.", examples=[30])


def install(app: FastAPI, hub: Hub | None = None) -> None:
    """Add the routes to the application."""
    app.state.streams = hub or Hub(time.time)
    app.state.stream_tickets = Tickets()
    app.include_router(router)


def _hub(request: Request) -> Hub:
    return cast("Hub", request.app.state.streams)


def _tickets(request: Request) -> Tickets:
    return cast("Tickets", request.app.state.stream_tickets)


@router.post(
    "/ticket",
    status_code=status.HTTP_201_CREATED,
    summary="A ticket for a browser's EventSource",
    responses={code: {"model": Problem} for code in (401, 429, 503)},
)
async def ticket(request: Request, me: SignedInCaller) -> Ticket:
    """Give a ticket that opens one stream, for programs that cannot send headers.

    The access token itself must never be in an address: addresses are kept in logs and histories.
    """
    given = _tickets(request).give(Holder(me.user_id, me.token))
    return Ticket(ticket=given, expires_in=round(GOOD_FOR))


async def _listener(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)],
    ticket: Annotated[
        str | None, Query(max_length=200, description="From `POST /stream/ticket`, in place of the header.")
    ] = None,
) -> Caller:
    """Return who wants to listen: the owner of the token, or whom the ticket was given to."""
    if ticket is None or credentials is not None:
        return await caller(request, credentials)
    context = context_of(request)
    address = request.client.host if request.client else ""
    context.rates.check(context.settings.refusals, "refused", address)
    holder = _tickets(request).take(ticket)
    if holder is None:
        context.rates.hit(context.settings.refusals, "refused", address)
        raise Unauthorized("This ticket was used before, or is too old. Ask for a new one.")
    request.scope["tavern.user_id"] = holder.user_id
    backend = await context.backend()
    return Caller(holder.user_id, backend.clients, backend, holder.token)


class _Stream(EventSourceResponse):
    """An answer that gives its place back, however it ends."""

    def __init__(self, feed: Feed, place: Place, heartbeat: float) -> None:
        super().__init__(
            feed.events(),
            ping=heartbeat,
            ping_message_factory=feed.heartbeat,
            shutdown_event=feed.ending,
            shutdown_grace_period=_ENDING,
        )
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._place.leave()


@router.get(
    "",
    summary="Changes as they are committed",
    response_class=EventSourceResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Server-Sent Events, without end."},
        **{code: {"model": Problem} for code in (401, 422, 429, 503)},
    },
)
async def stream(
    request: Request,
    me: Annotated[Caller, Depends(_listener)],
    tables: Annotated[
        str,
        Query(
            max_length=500,
            description=f"Names of tables, with commas between them: {', '.join(sorted(OFFERED))}.",
        ),
    ],
    filter: Annotated[  # noqa: A002  # the parameter's name
        list[str],
        Query(
            max_length=len(OFFERED),
            description="Which rows, in Realtime's syntax: `status=eq.failed,agent_name=eq.writer`. With "
            f"several tables `table:conditions`, once for each. Up to {LONGEST_FILTER:,} characters.",
        ),
    ] = [],  # noqa: B006  # FastAPI copies it
    snapshot: Annotated[bool, Query(description="Begin with the rows there are.")] = False,
    last_event_id: Annotated[
        str | None,
        Query(max_length=40, description="As the header Last-Event-ID, for who cannot send headers."),
    ] = None,
    last_event_id_header: Annotated[str | None, Header(alias="Last-Event-ID", max_length=40)] = None,
) -> EventSourceResponse:
    """Send an event for every change of these tables that the caller may see, with the row as it is now.

    - `change`: `{"table", "op", "key", "row"}`. `op` is INSERT, UPDATE or SNAPSHOT (take the row, whether you
      know its key or not), or DELETE with no row: it was deleted, or is no longer yours to see, or no longer
      passes the filter. States may be told twice, and quick changes of one row as one.
    - `ready`: from here on changes are sent as they are committed.
    - `resync`: forget the rows you have; all of them follow, then `ready`.
    - `expired`: the access token has ended, and with it the stream. Come again with a new one.

    After a cut, come again with the last `id` as `Last-Event-ID`: nothing is lost.
    """
    what = wanted(tables, filter)
    hub = _hub(request)
    until = ends_at(me.token) or math.inf
    place = hub.take(me, until)
    try:
        resume = last_event_id_header or last_event_id
        sources = _sources(hub, me, what)
        cursor = await _opened(sources, resume)
        feed = Feed(
            sources,
            cursor,
            resumed=bool(resume),
            snapshot=snapshot and not resume,
            ends_at=until,
            pace=hub.pace,
            now=hub.now,
        )
        hub.follow(place, feed)
    except BaseException:
        place.leave()
        raise
    return _Stream(feed, place, hub.pace.heartbeat)


def _sources(hub: Hub, me: Caller, what: Wanted) -> Sources:
    async def token() -> str:
        return me.token

    settings, http = me.clients.settings, hub.http()
    rows = {
        name: (OFFERED[name], Reader(settings.url, settings.key, {}, token, http, filters))
        for name, filters in what.items()
    }
    specs = {name: OFFERED[name] for name in what}
    return Sources(Reader(settings.url, settings.key, specs, token, http), rows)


async def _opened(sources: Sources, resume: str | None) -> str:
    """Return the cursor to begin with, after a look whether the tables and filters can be read at all."""
    try:
        cursor = resume or (await sources.log.changes_since(None)).cursor
        for spec, reader in sources.rows.values():
            async for _ in reader.pages(spec, 1):
                break
    except RefusedQueryError as error:
        raise wrong("filter", str(error)) from error
    except NotAllowedError as error:
        raise Unauthorized("The database does not take this access token.", error="invalid_token") from error
    except ReadError as error:
        raise Away from error
    return cursor
