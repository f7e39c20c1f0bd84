"""The tables of this app as the live engine sees them, one module a subject, and how the engine is started.

A table's `TableSpec` says how its rows are read, loaded and subscribed to. A pure function
`handle_<table>_change(rows, change) -> rows` stands here for the tables that the app is about; the others use
the default of `TableSpec`. Nothing here talks to Streamlit or to the database. Start with `events`.
"""

from __future__ import annotations

import threading
from typing import Final

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.running_session import bind_session
from livetables.tables.spec import AnySpec
from livetables.users import UserSession
from realtime_handlers import accounts, agents, diagnostics, events, messages, people, ratings, routing
from realtime_handlers.events import handle_events_change, handle_rsvps_change
from realtime_handlers.messages import (
    handle_event_messages_change,
    handle_private_messages_change,
    handle_tavern_messages_change,
)
from realtime_handlers.people import handle_users_change

__all__ = [
    "ALL_SPECS",
    "EngineConfig",
    "handle_event_messages_change",
    "handle_events_change",
    "handle_private_messages_change",
    "handle_rsvps_change",
    "handle_tavern_messages_change",
    "handle_users_change",
    "init_realtime_client",
    "setup_realtime_subscriptions",
]

ALL_SPECS: Final[tuple[AnySpec, ...]] = (
    people.USERS,
    events.EVENTS,
    events.EVENT_COHOSTS,
    events.RSVPS,
    messages.TAVERN_MESSAGES,
    messages.EVENT_MESSAGES,
    messages.PRIVATE_MESSAGES,
    diagnostics.CHANGE_LOG,
    accounts.ENDED_SESSIONS,
    agents.AGENT_RUNS,
    agents.AGENT_RUN_EVENTS,
    routing.ROUTING_METRICS,
    routing.ROUTING_DAILY,
    routing.ROUTING_BUDGETS,
    routing.MODEL_PRICES,
    ratings.RATING_ROLES,
    ratings.TENANTS,
    ratings.TENANT_INVITES,
    ratings.RATER_PROFILES,
    ratings.CAMPAIGNS,
    ratings.RATING_TASKS,
    ratings.TASK_LEASES,
    ratings.JUDGMENTS,
    ratings.CANDIDATE_TALLIES,
)
"""Every table that the engine follows."""

_lock = threading.Lock()
_engines: Final[dict[EngineConfig, Engine]] = {}


def init_realtime_client(config: EngineConfig) -> Engine:
    """Return the process's engine for this project; the first call starts it."""
    with _lock:
        if config not in _engines:
            _engines[config] = Engine.start(config, ALL_SPECS)
        return _engines[config]


def setup_realtime_subscriptions(engine: Engine, user: UserSession | None) -> None:
    """Give the running session the tables that `user` may read; call it in every full run.

    `user` is None for a visitor.
    """
    bind_session(engine, user)
