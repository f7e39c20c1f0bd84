"""Runs of agents, their events, and people who look at them, for the tests of what is shown."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from db.agents.models import AgentRun, AgentRunEvent, EventKind, Level, RunStatus
from tests.ui.samples import BERLIN, NOW, snapshot, user
from ui.agents.run_html import Viewer
from ui.base.people import finder

ANN, BO = user("Ann"), user("Bo")


def viewer(me: str = ANN.id, *, admin: bool = False, pending: Iterable[str] = ()) -> Viewer:
    """Return somebody who looks, a while after NOW."""
    now, find = NOW + timedelta(seconds=90), finder(snapshot([ANN, BO]))
    return Viewer(me, admin, BERLIN, now, find, frozenset(pending))


def run(status: RunStatus = RunStatus.IN_PROGRESS, *, minutes: float = 0, **values: object) -> AgentRun:
    """Return a run of Ann's that began so many minutes after NOW, and took two minutes if it is over."""
    began = NOW + timedelta(minutes=minutes)
    given: dict[str, object] = {
        "id": f"run-{minutes}",
        "task_id": None,
        "user_id": ANN.id,
        "agent_name": "tester",
        "agent_id": "t-1",
        "status": status,
        "status_at": began,
        "current_step": None,
        "progress_percent": 40.0,
        "result": None,
        "error": None,
        "metadata": {},
        "verification_attempts": 0,
        "verification_evidence": (),
        "tokens": 0,
        "cost_usd": Decimal(0),
        "retry_of": None,
        "started_at": began,
        "heartbeat_at": began,
        "completed_at": began + timedelta(minutes=2) if status.finished else None,
        "version": 1,
        "created_at": began,
        "updated_at": began,
    }
    return AgentRun(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test


def event(kind: EventKind, message: str, *, after: float = 0, **values: object) -> AgentRunEvent:
    """Return an event so many seconds after NOW."""
    at = NOW + timedelta(seconds=after)
    given: dict[str, object] = {
        "id": f"event-{after}-{message}",
        "run_id": "run-0",
        "user_id": ANN.id,
        "seq": 1,
        "kind": kind,
        "level": Level.INFO,
        "message": message,
        "data": None,
        "at": at,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }
    return AgentRunEvent(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test
