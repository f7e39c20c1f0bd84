"""Agent runs for the HTTP API: reading them in pages, and creating one exactly once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.agents.models import RunStatus
from db.agents.runs import TABLE
from db.caller import Caller
from db.columns import Record
from db.errors import DatabaseError, DuplicateError, UnreachableError


@dataclass(frozen=True, slots=True)
class PageCursor:
    """The last run of a page. The next page holds the runs that were created before it."""

    created_at: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to read; None means any. `limit` is the size of a page, less than 1000."""

    limit: int
    status: RunStatus | None = None
    agent_name: str | None = None
    user_id: str | None = None
    before: PageCursor | None = None


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to create. `retry_of` is the id of the finished run that it retries."""

    agent_name: str
    agent_id: str
    task_id: str | None = None
    retry_of: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


def newest(me: Caller, query: RunFilter) -> list[Record]:
    """Read one page of the runs that this person may see, newest first."""
    return rows.run(me, TABLE, lambda table: _select(table, query))


def _select(table: SyncRequestBuilder, query: RunFilter) -> SyncSelectRequestBuilder:
    request = table.select("*").order("created_at", desc=True).order("id", desc=True).limit(query.limit)
    if query.status is not None:
        request = request.eq("status", query.status.value)
    if query.agent_name is not None:
        request = request.eq("agent_name", query.agent_name)
    if query.user_id is not None:
        request = request.eq("user_id", query.user_id)
    if query.before is not None:
        created_at, run_id = query.before.created_at, query.before.run_id
        request = request.or_(
            f'created_at.lt."{created_at}",and(created_at.eq."{created_at}",id.lt.{run_id})'
        )
    return request


def id_for_key(me: Caller, key: str) -> str:
    """Return the id of this person's run for an `Idempotency-Key`; nobody else can compute it."""
    return str(rows.call(me, "run_id_for_key", {"p_key": key}))


def create(me: Caller, run_id: str, request: NewRun) -> Record:
    """Create a pending run. If it exists already, return it as it is now.

    Raises `DuplicateError` when a run with this id exists for another request, `InvalidValueError` when the
    run to retry has not finished, `GoneError` when this person has no such run.
    """
    values = {
        "user_id": me.user_id,
        "agent_name": request.agent_name,
        "agent_id": request.agent_id,
        "task_id": request.task_id,
        "retry_of": request.retry_of,
        "metadata": dict(request.metadata),
    }
    try:
        return rows.run(me, TABLE, lambda table: table.insert({"id": run_id, **values}))[0]
    except DuplicateError as error:
        return _existing(me, run_id, values, otherwise=error)
    except UnreachableError as error:
        if not error.answer_lost:
            raise
        return _existing(me, run_id, values, otherwise=error)


def _existing(me: Caller, run_id: str, values: Mapping[str, object], *, otherwise: DatabaseError) -> Record:
    found = rows.find(me, TABLE, {"id": run_id})
    if found is None or any(not _same(found.get(name), value) for name, value in values.items()):
        raise otherwise
    return found


def _same(one: object, other: object) -> bool:
    """Whether two JSON values are equal. Postgres may return an integer of JSON as a fraction."""
    return _with_floats(one) == _with_floats(other)


def _with_floats(value: object) -> object:
    return json.loads(json.dumps(value), parse_int=float)
