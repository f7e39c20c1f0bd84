"""Runs of agents: start, look at, cancel, try again."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final, cast
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.auth import Caller, SignedInCaller
from api.context import Context, context_of
from api.errors import FieldProblem, NotFound, Refused, TooMany, Wrong, documented
from api.models import AgentInfo, Run, RunDetails, RunPage, RunQuery, RunRequest, Started
from db import agent_requests, agent_runs
from db.agent_models import AgentRun, AgentRunEvent
from db.agent_requests import Before, Wanted
from db.errors import Duplicate, Gone, Invalid
from db.models import Record
from publish.background import Busy, Project, Work

router = APIRouter(prefix="/agents", tags=["Agents"])

_KEYS: Final = UUID("5d5f1d0a-8f0c-4b5e-9a53-6f7d5f0f8c11")
"""What the ids of runs with an idempotency key are made in (RFC 9562, version 5)."""
_BUSY: Final = 10

RunId = Annotated[UUID, Path(description="The id of a run.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Anything that nobody else uses for another request, such as a new UUID. Sent again with "
        "the same key, a request does not start a second run but returns the first.",
    ),
]


@router.get("", summary="List the agents", responses=documented(401, 429, 503))
async def agents(request: Request, me: SignedInCaller) -> list[AgentInfo]:
    """Return the agents that can be started here, and what they can be told."""
    del me
    return [
        AgentInfo(name=agent.name, description=agent.description, options=agent.options.model_json_schema())
        for agent in context_of(request).crew.agents
    ]


@router.post(
    "/run",
    summary="Start a run",
    status_code=HTTPStatus.ACCEPTED,
    response_description="The run is taken on.",
    responses={
        202: {"headers": {"Location": {"description": "Where the run is.", "schema": {"type": "string"}}}},
        **documented(400, 401, 409, 413, 422, 429, 503),
    },
)
async def start(
    request: Request, response: Response, me: SignedInCaller, wanted: RunRequest, key: Key = None
) -> Started:
    """Start an agent in the background and return the id of its run at once."""
    context = context_of(request)
    agent = context.crew.known(wanted.agent)
    work = agent.work(wanted.options)
    asked = agent_requests.Request(
        agent.name,
        agent.name,
        wanted.task_id,
        metadata={"options": wanted.options} if wanted.options else {},
    )
    run = await _begin(context, me, asked, key)
    return _taken_on(context, me, run, work, request, response)


@router.get("/runs", summary="List runs", responses=documented(401, 422, 429, 503))
async def runs(request: Request, me: SignedInCaller, query: Annotated[RunQuery, Query()]) -> RunPage:
    """Return runs, newest first: the caller's own, and for admins everybody's."""
    wanted = Wanted(
        query.limit + 1,
        query.status,
        query.agent,
        str(query.user_id) if query.user_id else None,
        None if query.before is None else _before(query.before),
    )
    records = await context_of(request).threads.run(agent_requests.newest, me, wanted)
    shown = records[: query.limit]
    return RunPage(
        runs=[Run.of(AgentRun.from_record(record)) for record in shown],
        next=_cursor(shown[-1]) if len(records) > query.limit else None,
    )


@router.get("/runs/{run_id}", summary="Look at a run", responses=documented(401, 404, 422, 429, 503))
async def run(request: Request, me: SignedInCaller, run_id: RunId) -> RunDetails:
    """Return a run with its steps, its log and the trail of its statuses."""
    context = context_of(request)
    found = await _find(context, me, run_id)
    records = await context.threads.run(agent_runs.events_of, me, str(run_id))
    events = sorted((AgentRunEvent.from_record(record) for record in records), key=_order)
    return RunDetails.with_events(found, events)


@router.post(
    "/runs/{run_id}/cancel",
    summary="Cancel a run",
    responses=documented(401, 404, 409, 413, 422, 429, 503),
)
async def cancel(request: Request, me: SignedInCaller, run_id: RunId) -> Run:
    """End a run before its end: at once where it is shown, and between two steps where it is at work."""
    context = context_of(request)
    try:
        record = await context.threads.run(agent_runs.cancel, me, str(run_id))
    except Gone as error:
        raise NotFound(_NO_RUN) from error
    except Invalid as error:
        raise Refused(str(error)) from error
    context.background.stop(str(run_id))
    return Run.of(AgentRun.from_record(record))


@router.post(
    "/runs/{run_id}/retry",
    summary="Try a run again",
    status_code=HTTPStatus.ACCEPTED,
    response_description="The run is taken on.",
    responses={
        202: {"headers": {"Location": {"description": "Where the run is.", "schema": {"type": "string"}}}},
        **documented(401, 404, 409, 413, 422, 429, 503),
    },
)
async def retry(
    request: Request, response: Response, me: SignedInCaller, run_id: RunId, key: Key = None
) -> Started:
    """Start a new run that does what a finished one should have done, with the same options.

    An agent that is not one of `GET /agents` finds the new run, which is `pending`, by itself.
    """
    context = context_of(request)
    old = await _find(context, me, run_id)
    if old.user_id != me.user_id:
        raise NotFound(_NO_RUN)
    agent = context.crew.find(old.agent_name)
    work = agent.work(cast("Mapping[str, object]", old.metadata.get("options", {}))) if agent else None
    asked = agent_requests.Request(old.agent_name, old.agent_id, old.task_id, old.id, old.metadata)
    started = await _begin(context, me, asked, key)
    return _taken_on(context, me, started, work, request, response)


_NO_RUN: Final = "There is no such run, or it is somebody else's."


async def _find(context: Context, me: Caller, run_id: UUID) -> AgentRun:
    record = await context.threads.run(agent_runs.find, me, str(run_id))
    if record is None:
        raise NotFound(_NO_RUN)
    return AgentRun.from_record(record)


async def _begin(context: Context, me: Caller, asked: agent_requests.Request, key: str | None) -> AgentRun:
    context.rates.hit(context.settings.runs, "started", me.user_id)
    try:
        context.background.check_room()
        record = await context.threads.run(agent_requests.begin, me, _id_for(me, key), asked)
    except Busy as error:
        raise TooMany(_BUSY, str(error)) from error
    except Duplicate as error:
        raise Refused("This Idempotency-Key was used for another request already.") from error
    except Invalid as error:
        if asked.retry_of is None:
            raise
        # What the run says was taken before: it is its end that is missing.
        raise Refused(str(error)) from error
    return AgentRun.from_record(record)


def _id_for(me: Caller, key: str | None) -> str:
    """Return the id of the new run: always the same one for the same key of the same person."""
    return str(uuid.uuid4() if key is None else uuid.uuid5(_KEYS, f"{me.user_id} {key}"))


def _taken_on(
    context: Context, me: Caller, run: AgentRun, work: Work | None, request: Request, response: Response
) -> Started:
    if work is not None and not run.status.finished:
        settings = me.clients.settings
        token = context.tokens.hold(me.user_id, me.token)
        # That a run was begun already, here or elsewhere, is found out by whoever would work on it.
        context.background.start(run.id, work, Project(settings.url, settings.key), token)
    # From the server's root: behind a proxy this server does not know its own address.
    url = f"{request.scope.get('root_path', '')}/agents/runs/{run.id}"
    response.headers["Location"] = url
    return Started(run_id=UUID(run.id), status=run.status, url=url)


def _order(event: AgentRunEvent) -> tuple[datetime, int, datetime]:
    return event.at, event.seq, event.created_at


def _cursor(last: Record) -> str:
    text = f"{last['created_at']} {last['id']}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _before(cursor: str) -> Before:
    """Read a cursor. Raises `Wrong` for one that was not given here."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
        moment, run_id = text.split(" ")
        # Written anew: Python reads more forms than Postgres.
        return Before(datetime.fromisoformat(moment).astimezone(UTC).isoformat(), str(UUID(run_id)))
    except (binascii.Error, ValueError, OverflowError) as error:
        message = "This is not a cursor: pass on what `next` of the page before says."
        raise Wrong(message, fields=[FieldProblem(place="query", field="before", message=message)]) from error
