"""What the page Diagnostics checks: requests to the project, and facts about this process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from db import probes
from db.auth.accounts import SignedIn
from livetables.counts import COUNTS
from livetables.engine import Engine
from livetables.faults import FAULTS
from livetables.feed.probe import WITHIN, try_subscription
from livetables.rerun import supported
from realtime_handlers import ALL_SPECS
from ui.diagnostics import checks
from ui.diagnostics.checks import Finding, Level
from ui.diagnostics.run import Probe

_MIGRATIONS = Path(__file__).parents[2] / "supabase" / "migrations"
_LIBRARIES = ("streamlit", "supabase", "realtime", "postgrest")
_TABLES = {spec.name: spec.key for spec in ALL_SPECS}

_CHECK_ADDRESS: Final = (
    "Check SUPABASE_URL and SUPABASE_KEY (Project Settings > API keys), and that the project runs."
)
_CHECK_REALTIME: Final = (
    "Switch on Realtime in the project's settings, and let websockets (wss) through firewalls and proxies. "
    "Until then pages poll for changes every second or two."
)
_POLICIES_TIMEOUT = 20.0


def probes_as(me: SignedIn, engine: Engine) -> list[Probe]:
    """Return the probes that ask the project, with this admin's own rights."""
    return [
        Probe(("Address and key",), lambda: _rest(me), _CHECK_ADDRESS),
        Probe(
            ("Sign-in",), lambda: _auth(me), f"{_CHECK_ADDRESS} If only this fails, sign out and in again."
        ),
        Probe(("Live connection",), lambda: _websocket(me, engine), _CHECK_REALTIME, WITHIN + 2),
        Probe(("Publication", "Database clock", "Schema", "Database"), lambda: _database(me), checks.PUSH),
        Probe(("Policies",), lambda: _policies(me), _CHECK_ADDRESS, _POLICIES_TIMEOUT),
    ]


def _rest(me: SignedIn) -> Sequence[Finding]:
    return [checks.answered("REST accepted the key and answered", probes.time_rest(me.clients))]


def _auth(me: SignedIn) -> Sequence[Finding]:
    return [checks.answered("Auth accepted your token and answered", probes.time_auth(me))]


def _websocket(me: SignedIn, engine: Engine) -> Sequence[Finding]:
    took = try_subscription(engine.config, tuple(_TABLES), me.access_token())
    return [checks.answered(f"Subscribed to {len(_TABLES)} tables over a websocket", took)]


def _database(me: SignedIn) -> Sequence[Finding]:
    facts = probes.read_facts(me)
    return [
        checks.publication(_TABLES, facts.published),
        checks.clock("The database's clock", facts.ahead, facts.uncertain),
        checks.migrations(_own_migrations(), facts.migrations),
        Finding(Level.OK, f"Postgres {facts.server_version}."),
    ]


def _policies(me: SignedIn) -> Sequence[Finding]:
    return [checks.policies(_TABLES, probes.refused_tables(me, _TABLES))]


def _own_migrations() -> list[str]:
    return sorted(path.name.split("_")[0] for path in _MIGRATIONS.glob("*.sql"))


def process_findings(me: SignedIn, engine: Engine) -> list[tuple[str, Finding]]:
    """Return the findings about this process, which need no request."""
    libraries = {name: version(name) for name in _LIBRARIES} | {"Python": sys.version.split()[0]}
    return [
        ("Libraries", checks.libraries(libraries, supported())),
        ("Feed", checks.feed(engine.status(me.user_id), datetime.now(UTC))),
        ("Sessions and feeds", checks.load(engine.sessions, engine.feeds)),
        ("Deliveries", checks.deliveries(COUNTS.now)),
        ("Faults", checks.faults(FAULTS.counts)),
    ]
