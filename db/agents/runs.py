"""Agent runs for the pages: starting, cancelling, retrying, reading old ones. Agents use `publish/`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.agents.models import AgentRun, RunStatus
from db.caller import Caller
from db.columns import Record
from db.errors import GoneError, UnreachableError

TABLE = "agent_runs"
EVENTS = "agent_run_events"

_PAGE = 1000
"""Rows a request. Hosted projects return no more."""


@dataclass(frozen=True, slots=True)
class RunDraft:
    """The columns of a run that a person fills in. `agent_id` names one of several instances of an agent."""

    agent_name: str
    agent_id: str
    task_id: str | None = None


def start(me: Caller, run_id: str, draft: RunDraft) -> Record:
    """Create a pending run. Calling it again with the same id changes nothing."""
    return rows.insert(me, TABLE, {"id": run_id}, _values(draft, me, None))


def retry(me: Caller, run_id: str, old: AgentRun) -> Record:
    """Create a pending run that retries a finished run of this person, with the same metadata."""
    draft = RunDraft(old.agent_name, old.agent_id, old.task_id)
    values = {**_values(draft, me, old.id), "metadata": dict(old.metadata)}
    return rows.insert(me, TABLE, {"id": run_id}, cast("rows.Values", values))


def cancel(me: Caller, run_id: str) -> Record:
    """Cancel a run; its agent notices with its next write.

    The version does not matter, because a busy run changes faster than a person can press a button. Raises
    `InvalidValueError` when the run has finished, `GoneError` when there is none that this person may see.
    """
    cancelled = {"status": RunStatus.CANCELLED.value}
    try:
        written = rows.run(me, TABLE, lambda table: rows.where(table.update(cancelled), {"id": run_id}))
    except UnreachableError as error:
        found = find(me, run_id) if error.answer_lost else None
        if found is None or found["status"] != RunStatus.CANCELLED.value:
            raise
        return found
    if not written:
        raise GoneError
    return written[0]


def find(me: Caller, run_id: str) -> Record | None:
    """Read one run, such as one that is too old to be among the loaded ones."""
    return rows.find(me, TABLE, {"id": run_id})


def history(me: Caller) -> Iterator[Record]:
    """Read all runs that this person may see, newest first, page by page."""
    last: Record | None = None
    while page := rows.run(me, TABLE, partial(_newest, after=last)):
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1]


def _newest(table: SyncRequestBuilder, after: Record | None) -> SyncSelectRequestBuilder:
    query = table.select("*").order("created_at", desc=True).order("id", desc=True).limit(_PAGE)
    if after is None:
        return query
    created_at, run_id = after["created_at"], after["id"]
    return query.or_(f'created_at.lt."{created_at}",and(created_at.eq."{created_at}",id.lt.{run_id})')


def events_of(me: Caller, run_id: str) -> list[Record]:
    """Read the newest events of a run, at most 1000."""
    return rows.run(
        me,
        EVENTS,
        lambda table: rows.where(table.select("*"), {"run_id": run_id}).order("at", desc=True).limit(_PAGE),
    )


def _values(draft: RunDraft, me: Caller, retry_of: str | None) -> rows.Values:
    return {
        "user_id": me.user_id,
        "agent_name": draft.agent_name,
        "agent_id": draft.agent_id,
        "task_id": draft.task_id,
        "retry_of": retry_of,
        "status": RunStatus.PENDING.value,
    }
