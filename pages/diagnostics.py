"""Whether everything is as it should be, and if not, what to do: for admins."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import streamlit as st

from db import probes
from db.auth import SignedIn
from live.engine import Engine
from live.probe import WITHIN, try_subscription
from live.rerun import supported
from realtime_handlers import ALL_SPECS
from ui import browser_clock, checks, layout, session
from ui.check_run import Probe, run
from ui.checks import Finding, Level
from ui.first_run import run_whole_app
from ui.text import as_html

_REPORT = "diagnostics_report"
_MIGRATIONS = Path(__file__).parents[1] / "supabase" / "migrations"
_LIBRARIES = ("streamlit", "supabase", "realtime", "postgrest")
_TABLES = {spec.name: spec.key for spec in ALL_SPECS}
_SUMMARY = {
    Level.OK: "Everything is as it should be.",
    Level.WARNING: "Tavern works, and some things deserve a look.",
    Level.FAILED: "Something is wrong. What to do stands beside it.",
}
_CSS = {Level.OK: "good", Level.WARNING: "warn", Level.FAILED: "bad"}


@dataclass(frozen=True, slots=True)
class _Report:
    """What the last run of the checks found."""

    run_id: str
    at: datetime
    findings: tuple[tuple[str, Finding], ...]


def show() -> None:
    layout.page_head("Diagnostics", "Whether everything is connected as it should be.")
    if not session.is_admin():
        layout.empty("🗝️", "For admins only", "They look after the connections.")
        return
    st.session_state.pop(_REPORT, None)
    _checks()


@st.fragment(key="diagnostics")
def _checks() -> None:
    me = session.signed_in()
    if me is None or not session.is_admin():
        layout.empty("🗝️", "For admins only", "You are no longer one.")
        return
    again = st.button("Run the checks again", icon=":material/refresh:")
    place = st.empty()
    report: _Report | None = st.session_state.get(_REPORT)
    if again or report is None:
        with place.container():
            report = st.session_state[_REPORT] = _run(me)
    with place.container():
        _show(report)


def _run(me: SignedIn) -> _Report:
    """Run the checks with this admin's own rights, telling how far they are."""
    engine = session.engine()
    asked = _probes(me, engine)
    progress = st.progress(0.0, "Checking…")
    findings: list[tuple[str, Finding]] = []
    for done, found in enumerate(run(asked), start=1):
        findings += found
        progress.progress(done / len(asked), f"Checked: {asked[done - 1].names[0]}")
    findings += [
        ("Libraries", checks.libraries({**_versions(), "Python": sys.version.split()[0]}, supported())),
        ("Feed", checks.feed(engine.status(me.user_id), datetime.now(UTC))),
        ("Sessions and feeds", checks.load(engine.sessions, engine.feeds)),
    ]
    return _Report(str(uuid.uuid4()), datetime.now(UTC), tuple(findings))


def _probes(me: SignedIn, engine: Engine) -> list[Probe]:
    address = "Check SUPABASE_URL and SUPABASE_KEY (Project Settings > API keys), and that the project runs."

    def database() -> Sequence[Finding]:
        facts = probes.ask_facts(me)
        return (
            checks.publication(_TABLES, facts.published),
            checks.clock("The database's clock", facts.ahead, facts.uncertain),
            checks.migrations(_migrations(), facts.migrations),
            Finding(Level.OK, f"Postgres {facts.server_version}."),
        )

    def websocket() -> Sequence[Finding]:
        took = try_subscription(engine.config, tuple(_TABLES), me.access_token())
        return (checks.answered(f"Subscribed to {len(_TABLES)} tables over a websocket", took),)

    return [
        Probe(
            ("Address and key",),
            lambda: [checks.answered("REST took the key and answered", probes.ask_rest(me.clients))],
            address,
        ),
        Probe(
            ("Sign-in",),
            lambda: [checks.answered("Auth knows your token and answered", probes.ask_auth(me))],
            f"{address} If only this fails, sign out and in again.",
        ),
        Probe(
            ("Live connection",),
            websocket,
            "Switch on Realtime in the project's settings, and let websockets (wss) through firewalls and "
            "proxies. Until then pages ask for changes every second or two.",
            within=WITHIN + 2,
        ),
        Probe(("Publication", "Database clock", "Schema", "Database"), database, checks.PUSH),
        Probe(
            ("Policies",), lambda: [checks.policies(_TABLES, probes.ask_tables(me, _TABLES))], address, 20.0
        ),
    ]


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _LIBRARIES}


def _migrations() -> list[str]:
    return sorted(path.name.split("_")[0] for path in _MIGRATIONS.glob("*.sql"))


def _show(report: _Report) -> None:
    findings = list(report.findings)
    ahead = browser_clock.ahead(report.run_id)
    if ahead is not None:
        uncertain = browser_clock.UNCERTAIN
        findings.append(("Browser clock", checks.clock("Your browser's clock", ahead, uncertain)))
    level = checks.worst(finding for _, finding in findings)
    at = report.at.astimezone(session.zone())
    rows = "".join(_row_html(name, finding) for name, finding in findings)
    st.html(
        f'<p class="tv-lead" role="status"><b>{_SUMMARY[level]}</b> Checked at {at:%H:%M:%S}.</p>'
        '<table class="tv-log tv-checks"><thead><tr><th>Check</th><th>Result</th><th>What was found</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _row_html(name: str, finding: Finding) -> str:
    mend = f'<div class="tv-mend">{as_html(finding.mend)}</div>' if finding.mend else ""
    state = f'<span class="tv-state {_CSS[finding.level]}">{finding.level.value}</span>'
    return (
        f'<tr data-check="{as_html(name)}"><td data-label="Check">{as_html(name)}</td>'
        f'<td data-label="Result">{state}</td>'
        f'<td data-label="What was found">{as_html(finding.found)}{mend}</td></tr>'
    )


if __name__ == "__main__":
    run_whole_app()
