"""Agent runs and their events: each person's own, and everybody's for admins."""

from __future__ import annotations

from typing import Final

from db.agents.models import AgentRun, AgentRunEvent
from livetables.tables.column_types import ColumnType
from livetables.tables.spec import TableSpec, Visibility
from realtime_handlers.permissions import own_rows_unless_admin, permission_version

AGENT_RUNS: Final = TableSpec(
    name="agent_runs",
    key=("id",),
    parse=AgentRun.from_record,
    visibility=Visibility.USER,
    order="created_at",
    window=500,
    filters=own_rows_unless_admin,
    permission_version=permission_version,
    filterable={
        "agent_name": ColumnType.TEXT,
        "status": ColumnType.TEXT,
        "task_id": ColumnType.TEXT,
        "user_id": ColumnType.UUID,
        "created_at": ColumnType.TIME,
    },
)

AGENT_RUN_EVENTS: Final = TableSpec(
    name="agent_run_events",
    key=("id",),
    parse=AgentRunEvent.from_record,
    visibility=Visibility.USER,
    order="created_at",
    window=1000,
    filters=own_rows_unless_admin,
    permission_version=permission_version,
    filterable={
        "run_id": ColumnType.UUID,
        "kind": ColumnType.TEXT,
        "user_id": ColumnType.UUID,
        "created_at": ColumnType.TIME,
    },
)
