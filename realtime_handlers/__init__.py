"""The tables of this app, as the live engine sees them: one module a table, and how the engine is started.

A handler is pure: it is given rows and a change and returns rows. It never talks to Streamlit or to the
database.
"""

from __future__ import annotations

import threading
from typing import Final

from live.engine import Engine, EngineConfig
from live.sessions import bind_session
from live.tables import AnySpec
from live.users import UserSession
from realtime_handlers import (
    agent_run_events,
    agent_runs,
    campaigns,
    candidate_tallies,
    change_log,
    ended_sessions,
    event_cohosts,
    events,
    judgments,
    private_messages,
    rater_profiles,
    rating_roles,
    rating_tasks,
    routing_budgets,
    routing_daily,
    routing_metrics,
    routing_prices,
    rsvps,
    task_leases,
    tavern_messages,
    tenant_invites,
    tenants,
    users,
)

__all__ = ["ALL_SPECS", "EngineConfig", "init_realtime_client", "setup_realtime_subscriptions"]

ALL_SPECS: Final[tuple[AnySpec, ...]] = (
    users.SPEC,
    events.SPEC,
    event_cohosts.SPEC,
    rsvps.SPEC,
    tavern_messages.SPEC,
    private_messages.SPEC,
    change_log.SPEC,
    ended_sessions.SPEC,
    agent_runs.SPEC,
    agent_run_events.SPEC,
    routing_metrics.SPEC,
    routing_daily.SPEC,
    routing_budgets.SPEC,
    routing_prices.SPEC,
    rating_roles.SPEC,
    tenants.SPEC,
    tenant_invites.SPEC,
    rater_profiles.SPEC,
    campaigns.SPEC,
    rating_tasks.SPEC,
    task_leases.SPEC,
    judgments.SPEC,
    candidate_tallies.SPEC,
)

_lock = threading.Lock()
_engines: Final[dict[EngineConfig, Engine]] = {}


def init_realtime_client(config: EngineConfig) -> Engine:
    """Return the process's engine for this project, started at the first call, whichever session makes it."""
    with _lock:
        if config not in _engines:
            _engines[config] = Engine.start(config, ALL_SPECS)
        return _engines[config]


def setup_realtime_subscriptions(engine: Engine, user: UserSession | None) -> None:
    """Show every table this person may read in the running session; call it on every full run."""
    bind_session(engine, user)
