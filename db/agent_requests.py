"""Runs of agents, as programs ask for them: a page of a list, and beginning one exactly once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.agent_models import RunStatus
from db.agent_runs import TABLE
from db.errors import DatabaseError, Duplicate, Unreachable
from db.models import Record
from db.rows import Caller


@dataclass(frozen=True, slots=True)
class Before:
    """Where a page ends: what was made before this run, newest first."""

    created_at: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs; None wants all. `limit` is of one page, and less than 1000."""

    limit: int
    status: RunStatus | None = None
    agent_name: str | None = None
    user_id: str | None = None
    before: Before | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an agent. `retry_of` is the finished run that is tried again."""

    agent_name: str
    agent_id: str
    task_id: str | None = None
    retry_of: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


def newest(me: Caller, wanted: Wanted) -> list[Record]:
    """Read runs that this person may see, newest first."""
    return rows.run(me, TABLE, lambda table: _narrowed(table, wanted))


def _narrowed(table: SyncRequestBuilder, wanted: Wanted) -> SyncSelectRequestBuilder:
    query = table.select("*").order("created_at", desc=True).order("id", desc=True).limit(wanted.limit)
    if wanted.status is not None:
        query = query.eq("status", wanted.status.value)
    if wanted.agent_name is not None:
        query = query.eq("agent_name", wanted.agent_name)
    if wanted.user_id is not None:
        query = query.eq("user_id", wanted.user_id)
    if (before := wanted.before) is not None:
        moment, run_id = before.created_at, before.run_id
        query = query.or_(f'created_at.lt."{moment}",and(created_at.eq."{moment}",id.lt.{run_id})')
    return query


def begin(me: Caller, run_id: str, request: Request) -> Record:
    """Make a run that waits for its agent; asked again with this id, return it as it is by now.

    Raises `Duplicate` when the id belongs to a request for something else, `Invalid` when what is to be tried
    again has not ended, `Gone` when there is no such run of this person.
    """
    asked = {
        "user_id": me.user_id,
        "agent_name": request.agent_name,
        "agent_id": request.agent_id,
        "task_id": request.task_id,
        "retry_of": request.retry_of,
        "metadata": dict(request.metadata),
    }
    try:
        return rows.run(me, TABLE, lambda table: table.insert({"id": run_id, **asked}))[0]
    except Duplicate as error:
        return _begun_already(me, run_id, asked, error)
    except Unreachable as error:
        if not error.worth_looking:
            raise
        return _begun_already(me, run_id, asked, error)


def _begun_already(me: Caller, run_id: str, asked: Mapping[str, object], otherwise: DatabaseError) -> Record:
    found = rows.find(me, TABLE, {"id": run_id})
    if found is None or any(not _same(found.get(name), value) for name, value in asked.items()):
        raise otherwise
    return found


def _same(one: object, other: object) -> bool:
    """Whether two JSON values mean the same; Postgres writes some numbers in another way."""
    return _plain(one) == _plain(other)


def _plain(value: object) -> object:
    return json.loads(json.dumps(value), parse_int=float)
