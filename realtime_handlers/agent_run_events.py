"""What happens in the runs of agents: steps, log lines, changes of status."""

from __future__ import annotations

from db.agent_models import AgentRunEvent
from live.changes import Change
from live.kinds import Kind
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.roles import own_unless_admin, standing


def handle_agent_run_events_change(
    rows: Rows[AgentRunEvent], change: Change[AgentRunEvent]
) -> Rows[AgentRunEvent]:
    """Add an event; none is ever changed, and all of a run go with it."""
    return rows.apply(change)


SPEC = TableSpec(
    name="agent_run_events",
    key=("id",),
    parse=AgentRunEvent.from_record,
    version=lambda event: event.version,
    handler=handle_agent_run_events_change,
    audience=Audience.USER,
    order="created_at",
    window=1000,
    filters=own_unless_admin,
    standing=standing,
    filterable={"run_id": Kind.UUID, "kind": Kind.TEXT, "user_id": Kind.UUID, "created_at": Kind.TIME},
)
