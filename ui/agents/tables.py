"""The tables of agents, as this session sees them: with the signed-in person's own pending writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from db.agents.models import AgentRun, AgentRunEvent
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import session


def agent_runs() -> Snapshot[AgentRun]:
    """Return the loaded part of the signed-in person's runs; admins get everybody's."""
    return session.table("agent_runs")


def agent_run_events() -> Snapshot[AgentRunEvent]:
    """Return the loaded part of the events of these runs."""
    return session.table("agent_run_events")


def newest_agent_runs() -> Snapshot[AgentRun]:
    """Return the runs as the engine has them now, which may be newer than what the page shows."""
    return session.newest("agent_runs")


def newest_first(runs: Snapshot[AgentRun]) -> Sequence[AgentRun]:
    """Return the loaded runs, newest first; sorted once a snapshot."""
    return runs.derived("newest first", _sorted)


def _sorted(rows: Rows[AgentRun]) -> list[AgentRun]:
    return sorted(rows.values(), key=lambda run: (run.created_at, run.id), reverse=True)


def events_by_run(events: Snapshot[AgentRunEvent]) -> Mapping[str, list[AgentRunEvent]]:
    """Return the loaded events of each run, oldest first; grouped once a snapshot."""
    return events.derived("by run", _grouped)


def _grouped(rows: Rows[AgentRunEvent]) -> dict[str, list[AgentRunEvent]]:
    groups: dict[str, list[AgentRunEvent]] = {}
    for event in sorted(rows.values(), key=event_order):
        groups.setdefault(event.run_id, []).append(event)
    return groups


def event_order(event: AgentRunEvent) -> tuple[datetime, int, datetime]:
    """Return the key that sorts the events of a run."""
    return event.at, event.seq, event.created_at
