"""Diagnostics, for admins: whether everything works, and what to do if not."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from db.auth.accounts import SignedIn
from ui.base import html, layout, session, times
from ui.base.html import EMPTY, Markup, Template, join
from ui.diagnostics import browser_clock, checks
from ui.diagnostics.checks import Finding, Level
from ui.diagnostics.probes import probes_as, process_findings
from ui.diagnostics.run import run
from ui.shell.run_app import run_whole_app

_REPORT = "diagnostics_report"
_SUMMARY = {
    Level.OK: "Everything is as it should be.",
    Level.WARNING: "Tavern works, but something needs attention.",
    Level.FAILED: "Something is wrong. The remedy is beside it.",
}
_CSS = {Level.OK: "good", Level.WARNING: "warn", Level.FAILED: "bad"}

_TABLE = Template(
    '<p class="tv-lead" role="status"><b>{summary}</b> Checked at {at}.</p>'
    '<table class="tv-log tv-checks"><thead><tr><th>Check</th><th>Result</th><th>What was found</th></tr>'
    "</thead><tbody>{rows}</tbody></table>"
)
_ROW = Template(
    '<tr data-check="{name}"><td data-label="Check">{name}</td>'
    '<td data-label="Result"><span class="tv-state {css}">{level}</span></td>'
    '<td data-label="What was found">{found}{remedy}</td></tr>'
)
_REMEDY = Template('<div class="tv-remedy">{remedy}</div>')


@dataclass(frozen=True, slots=True)
class _Report:
    """What the last run of the checks found."""

    run_id: str
    at: datetime
    findings: tuple[tuple[str, Finding], ...]


def show() -> None:
    layout.page_head("Diagnostics", "Checks of everything that Tavern is connected to.")
    if not session.is_admin():
        layout.empty("🗝️", "For admins only", "They look after the connections.")
        return
    st.session_state.pop(_REPORT, None)
    _checks()


@st.fragment(key="diagnostics")
def _checks() -> None:
    me = session.signed_in()
    if me is None or not session.is_admin():
        layout.empty("🗝️", "For admins only", "You are not an admin any more.")
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
    """Run all checks, and show the progress."""
    engine = session.engine()
    probes = probes_as(me, engine)
    progress = st.progress(0.0, "Checking…")
    findings: list[tuple[str, Finding]] = []
    for done, found in enumerate(run(probes), start=1):
        findings += found
        progress.progress(done / len(probes), f"Checked: {probes[done - 1].names[0]}")
    findings += process_findings(me, engine)
    return _Report(str(uuid.uuid4()), datetime.now(UTC), tuple(findings))


def _show(report: _Report) -> None:
    findings = list(report.findings)
    ahead = browser_clock.ahead(report.run_id)
    if ahead is not None:
        finding = checks.clock("Your browser's clock", ahead, browser_clock.UNCERTAINTY)
        findings.append(("Browser clock", finding))
    region = session.region()
    at = times.second_of_day(report.at, region, times.today_in(region.zone))
    html.show(_report_html(findings, at))


def _report_html(findings: Sequence[tuple[str, Finding]], at: str) -> Markup:
    level = checks.worst(finding for _, finding in findings)
    rows = join(_row_html(name, finding) for name, finding in findings)
    return _TABLE(summary=_SUMMARY[level], at=at, rows=rows)


def _row_html(name: str, finding: Finding) -> Markup:
    return _ROW(
        name=name,
        css=_CSS[finding.level],
        level=finding.level.value,
        found=finding.found,
        remedy=_REMEDY(remedy=finding.remedy) if finding.remedy else EMPTY,
    )


if __name__ == "__main__":
    run_whole_app()
