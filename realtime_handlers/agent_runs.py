"""Runs of agents: each person's own, and everybody's for admins."""

from __future__ import annotations

from db.agent_models import AgentRun
from live.changes import Change
from live.kinds import Kind
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.roles import own_unless_admin, standing


def handle_agent_runs_change(rows: Rows[AgentRun], change: Change[AgentRun]) -> Rows[AgentRun]:
    """Add or replace a run, or remove it with its person's account."""
    return rows.apply(change)


SPEC = TableSpec(
    name="agent_runs",
    key=("id",),
    parse=AgentRun.from_record,
    version=lambda run: run.version,
    handler=handle_agent_runs_change,
    audience=Audience.USER,
    order="created_at",
    window=500,
    filters=own_unless_admin,
    standing=standing,
    filterable={
        "agent_name": Kind.TEXT,
        "status": Kind.TEXT,
        "task_id": Kind.TEXT,
        "user_id": Kind.UUID,
        "created_at": Kind.TIME,
    },
)
