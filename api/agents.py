"""The routes for runs of agents: start, list, read, cancel, retry."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, cast
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.auth import Caller, SignedInCaller
from api.context import Context, context_of
from api.errors import (
    FieldProblem,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    TooManyRequestsError,
    problem_responses,
)
from api.models import AgentInfo, Run, RunDetails, RunPage, RunQuery, RunRequest, Started
from db.agents import requests as agent_requests
from db.agents import runs as agent_runs
from db.agents.models import AgentRun, AgentRunEvent
from db.agents.requests import NewRun, PageCursor, RunFilter
from db.columns import Record
from db.errors import DuplicateError, GoneError, InvalidValueError
from publish.background import BusyError, Project, Work

router = APIRouter(prefix="/agents", tags=["Agents"])

_BUSY_RETRY: Final = 10
"""Seconds after which a full queue may have room."""

_LOCATION: Final[dict[str, Any]] = {
    "headers": {"Location": {"description": "The address of the run.", "schema": {"type": "string"}}}
}

RunId = Annotated[UUID, Path(description="The id of a run.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="A value that you use for this request only, such as a new UUID. If the request is sent "
        "again with the same key, it starts no second run but returns the first.",
    ),
]


@router.get("", summary="List the agents", responses=problem_responses(401, 429, 503))
async def agents(request: Request, me: SignedInCaller) -> list[AgentInfo]:
    """Return the agents that can be started here, with the schema of their options."""
    del me
    return [
        AgentInfo(name=agent.name, description=agent.description, options=agent.options.model_json_schema())
        for agent in context_of(request).registry.agents
    ]


@router.post(
    "/run",
    summary="Start a run",
    status_code=HTTPStatus.ACCEPTED,
    response_description="The run is accepted.",
    responses={
        202: {
            "headers": {"Location": {"description": "The address of the run.", "schema": {"type": "string"}}}
        },
        **problem_responses(400, 401, 409, 413, 422, 429, 503),
    },
)
async def start(
    request: Request, response: Response, me: SignedInCaller, body: RunRequest, key: Key = None
) -> Started:
    """Start an agent in the background and return the id of its run at once."""
    context = context_of(request)
    agent = context.registry.require(body.agent)
    work = agent.work(body.options)
    metadata = {"options": body.options} if body.options else {}
    new_run = NewRun(agent.name, agent.name, body.task_id, metadata=metadata)
    run = await _insert(context, me, new_run, key)
    _start_work(context, me, run, work)
    return _started(run, request, response)


@router.get("/runs", summary="List runs", responses=problem_responses(401, 422, 429, 503))
async def runs(request: Request, me: SignedInCaller, query: Annotated[RunQuery, Query()]) -> RunPage:
    """Return runs, newest first: the caller's own, and for admins everybody's."""
    selected = RunFilter(
        query.limit + 1,
        query.status,
        query.agent,
        str(query.user_id) if query.user_id else None,
        None if query.before is None else _read_cursor(query.before),
    )
    records = await context_of(request).threads.run(agent_requests.newest, me, selected)
    page = records[: query.limit]
    return RunPage(
        runs=[Run.of(AgentRun.from_record(record)) for record in page],
        next=_cursor_of(page[-1]) if len(records) > query.limit else None,
    )


@router.get("/runs/{run_id}", summary="Read a run", responses=problem_responses(401, 404, 422, 429, 503))
async def run(request: Request, me: SignedInCaller, run_id: RunId) -> RunDetails:
    """Return a run with its steps, its log and its history of statuses."""
    context = context_of(request)
    found = await _find(context, me, run_id)
    records = await context.threads.run(agent_runs.events_of, me, str(run_id))
    events = sorted((AgentRunEvent.from_record(record) for record in records), key=_event_order)
    return RunDetails.with_events(found, events)


@router.post(
    "/runs/{run_id}/cancel",
    summary="Cancel a run",
    responses=problem_responses(401, 404, 409, 413, 422, 429, 503),
)
async def cancel(request: Request, me: SignedInCaller, run_id: RunId) -> Run:
    """Cancel a run. Its status changes at once; its agent stops between two steps."""
    context = context_of(request)
    try:
        record = await context.threads.run(agent_runs.cancel, me, str(run_id))
    except GoneError as error:
        raise NotFoundError(_NO_RUN) from error
    except InvalidValueError as error:
        raise RefusedError(str(error)) from error
    context.background.stop(str(run_id))
    return Run.of(AgentRun.from_record(record))


@router.post(
    "/runs/{run_id}/retry",
    summary="Retry a run",
    status_code=HTTPStatus.ACCEPTED,
    response_description="The run is accepted.",
    responses={
        202: {
            "headers": {"Location": {"description": "The address of the run.", "schema": {"type": "string"}}}
        },
        **problem_responses(401, 404, 409, 413, 422, 429, 503),
    },
)
async def retry(
    request: Request, response: Response, me: SignedInCaller, run_id: RunId, key: Key = None
) -> Started:
    """Start a new run with the agent and options of a finished one.

    If the agent is not one of `GET /agents`, the new run stays `pending` until its own program claims it.
    """
    context = context_of(request)
    old = await _find(context, me, run_id)
    if old.user_id != me.user_id:
        raise NotFoundError(_NO_RUN)
    agent = context.registry.find(old.agent_name)
    work = agent.work(cast("Mapping[str, object]", old.metadata.get("options", {}))) if agent else None
    new_run = NewRun(old.agent_name, old.agent_id, old.task_id, old.id, old.metadata)
    run = await _insert(context, me, new_run, key)
    if work is not None:
        _start_work(context, me, run, work)
    return _started(run, request, response)


_NO_RUN: Final = "There is no such run, or it is somebody else's."


async def _find(context: Context, me: Caller, run_id: UUID) -> AgentRun:
    record = await context.threads.run(agent_runs.find, me, str(run_id))
    if record is None:
        raise NotFoundError(_NO_RUN)
    return AgentRun.from_record(record)


async def _insert(context: Context, me: Caller, new_run: NewRun, key: str | None) -> AgentRun:
    """Insert the row of a new run, or return the run that has the same key."""
    context.rates.hit(context.settings.runs, "started", me.user_id)
    try:
        context.background.check_room()
        record = await context.threads.run(_create, me, key, new_run)
    except BusyError as error:
        raise TooManyRequestsError(_BUSY_RETRY, str(error)) from error
    except DuplicateError as error:
        raise RefusedError("This Idempotency-Key was used for another request already.") from error
    except InvalidValueError as error:
        if new_run.retry_of is None:
            raise
        # The values were valid in the first run. So the database refuses because that run has not ended.
        raise RefusedError(str(error)) from error
    return AgentRun.from_record(record)


def _create(me: Caller, key: str | None, new_run: NewRun) -> Record:
    # The database makes the id for a key with a secret, so that no other member can take the id first.
    run_id = str(uuid.uuid4()) if key is None else agent_requests.id_for_key(me, key)
    return agent_requests.create(me, run_id, new_run)


def _start_work(context: Context, me: Caller, run: AgentRun, work: Work) -> None:
    if run.status.finished:
        return
    settings = me.clients.settings
    token = context.tokens.hold(me.user_id, me.token)
    # The run may be started already, here or in another process. The worker finds out when it claims it.
    context.background.start(run.id, work, Project(settings.url, settings.key), token)


def _started(run: AgentRun, request: Request, response: Response) -> Started:
    # A relative address, because behind a proxy this server does not know its own.
    url = f"{request.scope.get('root_path', '')}/agents/runs/{run.id}"
    response.headers["Location"] = url
    return Started(run_id=UUID(run.id), status=run.status, url=url)


def _event_order(event: AgentRunEvent) -> tuple[datetime, int, datetime]:
    return event.at, event.seq, event.created_at


def _cursor_of(last: Record) -> str:
    text = f"{last['created_at']} {last['id']}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> PageCursor:
    """Read a cursor of `_cursor_of`. Raises `InvalidInputError` for anything else."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
        moment, run_id = text.split(" ")
        # Formatted again, because Python accepts more forms of a time than Postgres.
        return PageCursor(datetime.fromisoformat(moment).astimezone(UTC).isoformat(), str(UUID(run_id)))
    except (binascii.Error, ValueError, OverflowError) as error:
        message = "This is not a cursor: pass on what `next` of the page before says."
        raise InvalidInputError(
            message, fields=[FieldProblem(place="query", field="before", message=message)]
        ) from error
