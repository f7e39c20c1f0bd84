"""Runs of agents, as people handle them: start, cancel, try again. Agents write through `publish`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.agent_models import AgentRun, RunStatus
from db.errors import Gone, Unreachable
from db.models import Record
from db.rows import Caller

TABLE = "agent_runs"
EVENTS = "agent_run_events"

_MOST_EVENTS = 1000
_A_PAGE = 1000
"""Rows a request; hosted projects give no more."""


@dataclass(frozen=True, slots=True)
class RunDraft:
    """What a person says of a run they start. `agent_id` tells instances of an agent apart."""

    agent_name: str
    agent_id: str
    task_id: str | None = None


def start(me: Caller, run_id: str, draft: RunDraft) -> Record:
    """Make a run that waits for its agent, once, however often it is asked for with this id."""
    return rows.insert(me, TABLE, {"id": run_id}, _values(draft, me, None))


def retry(me: Caller, run_id: str, old: AgentRun) -> Record:
    """Make a run that tries a finished one of this person again, with the options that one had."""
    draft = RunDraft(old.agent_name, old.agent_id, old.task_id)
    values = {**_values(draft, me, old.id), "metadata": dict(old.metadata)}
    return rows.insert(me, TABLE, {"id": run_id}, cast("rows.Values", values))


def cancel(me: Caller, run_id: str) -> Record:
    """End a run before its end; its agent learns of it with its next write.

    Asked for whatever its version: a busy run changes faster than a person can press a button. Raises
    `Invalid` when it is finished already, `Gone` when there is none that this person may see.
    """
    cancelled = {"status": RunStatus.CANCELLED.value}
    try:
        written = rows.run(me, TABLE, lambda table: rows.narrowed(table.update(cancelled), {"id": run_id}))
    except Unreachable as error:
        found = find(me, run_id) if error.worth_looking else None
        if found is None or found["status"] != RunStatus.CANCELLED.value:
            raise
        return found
    if not written:
        raise Gone
    return written[0]


def find(me: Caller, run_id: str) -> Record | None:
    """Read one run, such as an old one that is no longer among those that are loaded."""
    return rows.find(me, TABLE, {"id": run_id})


def history(me: Caller) -> Iterator[Record]:
    """Read all runs that this person may see, newest first, a page at a time."""
    last: Record | None = None
    while page := rows.run(me, TABLE, partial(_newest, after=last)):
        yield from page
        if len(page) < _A_PAGE:
            return
        last = page[-1]


def _newest(table: SyncRequestBuilder, after: Record | None) -> SyncSelectRequestBuilder:
    query = table.select("*").order("created_at", desc=True).order("id", desc=True).limit(_A_PAGE)
    if after is None:
        return query
    moment, run_id = after["created_at"], after["id"]
    return query.or_(f'created_at.lt."{moment}",and(created_at.eq."{moment}",id.lt.{run_id})')


def events_of(me: Caller, run_id: str) -> list[Record]:
    """Read what happened in a run, the newest if there is very much."""
    return rows.run(
        me,
        EVENTS,
        lambda table: (
            rows.narrowed(table.select("*"), {"run_id": run_id}).order("at", desc=True).limit(_MOST_EVENTS)
        ),
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
