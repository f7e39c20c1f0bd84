"""The routes that stream changes of tables as Server-Sent Events, with the caller's rights."""

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
from api.errors import Problem, ServiceUnavailableError, UnauthorizedError
from api.stream_feed import ChangeStream, Sources, Start
from api.stream_hub import Hub, StreamSession
from api.stream_request import LONGEST_FILTER, STREAMABLE, Selection, invalid_parameter, read_selection
from api.stream_rights import Rights, rights_specs
from api.stream_tickets import LIFETIME, Holder, Tickets
from api.token_cache import ends_at
from livetables.config import EngineConfig
from livetables.errors import NotAllowedError, ReadError, RefusedQueryError
from livetables.feed.reads import Reader, ReaderConfig

_LONGEST_CURSOR: Final = 400
"""A cursor names the truncated tables that it has answered, while a transaction from before them is open."""
_SHUTDOWN_GRACE: Final = 1.0
"""Seconds that streams have to end by themselves when the server stops."""

router = APIRouter(prefix="/stream", tags=["Streams"])


class Ticket(BaseModel):
    """What stands for the access token in the address of one stream."""

    ticket: str = Field(description="Put it into the address: `?ticket=…`. It opens one stream.")
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
    """Issue a ticket that opens one stream, for programs that cannot send headers.

    The access token itself must never be in an address, because addresses are kept in logs and histories.
    """
    issued = _tickets(request).issue(Holder(me.user_id, me.token))
    return Ticket(ticket=issued, expires_in=round(LIFETIME))


async def _subscriber(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)],
    ticket: Annotated[
        str | None, Query(max_length=200, description="From `POST /stream/ticket`, in place of the header.")
    ] = None,
) -> Caller:
    """Return who opens the stream: the owner of the token, or the holder of the ticket."""
    if ticket is None or credentials is not None:
        return await caller(request, credentials)
    context = context_of(request)
    address = request.client.host if request.client else ""
    context.rates.check(context.settings.refusals, "refused", address)
    holder = _tickets(request).redeem(ticket)
    if holder is None:
        context.rates.hit(context.settings.refusals, "refused", address)
        raise UnauthorizedError("This ticket was used before, or is too old. Ask for a new one.")
    request.scope["tavern.user_id"] = holder.user_id
    backend = await context.backend()
    return Caller(holder.user_id, backend.clients, backend, holder.token)


async def _selection(
    tables: Annotated[
        str,
        Query(
            max_length=500,
            description=f"Names of tables, separated by commas: {', '.join(sorted(STREAMABLE))}.",
        ),
    ],
    filter: Annotated[  # noqa: A002  # the parameter's name
        list[str],
        Query(
            max_length=len(STREAMABLE),
            description="Which rows, in Realtime's syntax: `status=eq.failed,agent_name=eq.writer`. With "
            f"several tables `table:conditions`, once for each. Up to {LONGEST_FILTER:,} characters.",
        ),
    ] = [],  # noqa: B006  # FastAPI copies it
) -> Selection:
    """Return the tables and filters of the stream."""
    return read_selection(tables, filter)


async def _resume_cursor(
    last_event_id: Annotated[
        str | None,
        Query(
            max_length=_LONGEST_CURSOR, description="As the header Last-Event-ID, if you cannot send headers."
        ),
    ] = None,
    last_event_id_header: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=_LONGEST_CURSOR)
    ] = None,
) -> str | None:
    """Return the cursor with which the caller resumes a stream, None for a new one."""
    return last_event_id_header or last_event_id


class _StreamResponse(EventSourceResponse):
    """A response that closes its stream, however it ends."""

    def __init__(self, stream: ChangeStream, session: StreamSession, heartbeat: float) -> None:
        super().__init__(
            stream.events(),
            ping=heartbeat,
            ping_message_factory=stream.heartbeat,
            shutdown_event=stream.server_stops,
            shutdown_grace_period=_SHUTDOWN_GRACE,
        )
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._session.close()


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
    me: Annotated[Caller, Depends(_subscriber)],
    selection: Annotated[Selection, Depends(_selection)],
    resume: Annotated[str | None, Depends(_resume_cursor)],
    snapshot: Annotated[bool, Query(description="Start with the present rows.")] = False,
) -> EventSourceResponse:
    """Send an event for every change of these tables that the caller may see, with the row as it is now.

    - `change`: `{"table", "op", "key", "row"}`. `op` is INSERT, UPDATE or SNAPSHOT (take the row, whether you
      have its key or not), or DELETE without a row: it was deleted, or you may no longer see it, or it does
      not pass the filter any more. A state may be sent twice, and quick changes of one row as one.
    - `ready`: from here on changes are sent as they are committed.
    - `resync`: drop the rows you have; all of them follow, then `ready`. It also comes after
      a change of your role.
    - `expired`: the access token has expired, and the stream ends. Connect again with a new one.

    After a cut, connect again with the last `id` as `Last-Event-ID`: nothing is lost.
    """
    hub = _hub(request)
    expiry = ends_at(me.token) or math.inf
    session = hub.open(me, expiry)
    try:
        sources = _sources(hub, me, selection, resumed=bool(resume))
        cursor = await _first_cursor(sources, resume)
        start = Start(cursor, resumed=bool(resume), snapshot=snapshot and not resume)
        changes = ChangeStream(sources, start, ends_at=expiry, pace=hub.pace, now=hub.now)
        hub.connect(session, changes)
    except BaseException:
        session.close()
        raise
    return _StreamResponse(changes, session, hub.pace.heartbeat)


def _sources(hub: Hub, me: Caller, selection: Selection, *, resumed: bool) -> Sources:
    async def token() -> str:
        return me.token

    settings = me.clients.settings
    config = ReaderConfig(EngineConfig(settings.url, settings.key), token, hub.http())
    rows = {name: (STREAMABLE[name], Reader(config, {}, filters)) for name, filters in selection.items()}
    specs = {name: STREAMABLE[name] for name in selection}
    rights = Rights(me.user_id, tuple(specs.values()), Reader(config, specs), resumed=resumed)
    return Sources(Reader(config, {**rights_specs(specs.values()), **specs}), rows, rights)


async def _first_cursor(sources: Sources, resume: str | None) -> str:
    """Return the cursor to start with, after a test read that shows whether the tables and filters work."""
    try:
        await sources.rights.begin()
        cursor = resume or (await sources.log.changes_since(None)).cursor
        for spec, reader in sources.rows.values():
            async for _ in reader.pages(spec, 1):
                break
    except RefusedQueryError as error:
        raise invalid_parameter("filter", str(error)) from error
    except NotAllowedError as error:
        raise UnauthorizedError(
            "The database does not take this access token.", error="invalid_token"
        ) from error
    except ReadError as error:
        raise ServiceUnavailableError from error
    return cursor
