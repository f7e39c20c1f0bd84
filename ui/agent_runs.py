"""Runs of agents as HTML: the board, one run, its timeline and its log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from db.agent_models import AgentRun, AgentRunEvent, EventKind, Level, RunStatus
from db.agent_runs import RunDraft
from live.rows import Rows
from live.snapshot import Snapshot
from ui import times
from ui.activity import Find
from ui.pending import saving_html
from ui.people import avatar_html, name_of
from ui.text import as_html, plural, shortened

LABELS: Mapping[RunStatus, str] = {
    RunStatus.PENDING: "Pending",
    RunStatus.IN_PROGRESS: "In progress",
    RunStatus.AWAITING_VERIFICATION: "Awaiting verification",
    RunStatus.VERIFICATION_IN_PROGRESS: "Being verified",
    RunStatus.VERIFICATION_PASSED: "Verified",
    RunStatus.VERIFICATION_FAILED: "Verification failed",
    RunStatus.COMPLETED: "Completed",
    RunStatus.ESCALATED_TO_HUMAN: "Needs a human",
    RunStatus.FAILED: "Failed",
    RunStatus.CANCELLED: "Cancelled",
}
_GOOD = frozenset({RunStatus.VERIFICATION_PASSED, RunStatus.COMPLETED})
_BAD = frozenset({RunStatus.VERIFICATION_FAILED, RunStatus.FAILED, RunStatus.ESCALATED_TO_HUMAN})
_IDLE = frozenset({RunStatus.PENDING, RunStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the board: their id and rights, zone and moment, and how people are found by id.

    `pending` are the runs that they are shown as they will be.
    """

    user_id: str
    admin: bool
    zone: ZoneInfo
    now: datetime
    find: Find
    pending: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Filters:
    """Which runs are wanted; None and empty text want all."""

    active: bool = False
    agent: str | None = None
    status: RunStatus | None = None
    person: str | None = None
    words: str = ""

    def keep(self, run: AgentRun) -> bool:
        """Tell whether a run is wanted."""
        text = f"{run.agent_name} {run.agent_id} {run.task_id or ''} {run.current_step or ''}".casefold()
        return (
            not (self.active and run.status.finished)
            and self.agent in (None, run.agent_name)
            and self.status in (None, run.status)
            and self.person in (None, run.user_id)
            and all(word in text for word in self.words.casefold().split())
        )


def new_run(run_id: str, user_id: str, draft: RunDraft, retry_of: str | None) -> AgentRun:
    """Return a run as the database will make it."""
    now = datetime.now(UTC)
    return AgentRun(
        id=run_id, task_id=draft.task_id, user_id=user_id, agent_name=draft.agent_name,
        agent_id=draft.agent_id, status=RunStatus.PENDING, status_at=now, current_step=None,
        progress_percent=0.0, result=None, error=None, metadata={}, verification_attempts=0,
        verification_evidence=(), tokens=0, cost_usd=Decimal(0), retry_of=retry_of, started_at=now,
        heartbeat_at=now, completed_at=None, version=0, created_at=now, updated_at=now,
    )  # fmt: skip


def cancelled(run: AgentRun) -> AgentRun:
    """Return a run as it is once it is cancelled."""
    now = datetime.now(UTC)
    return replace(run, status=RunStatus.CANCELLED, status_at=now, completed_at=now)


def newest_first(runs: Snapshot[AgentRun]) -> Sequence[AgentRun]:
    """Return the loaded runs; sorted once for each snapshot."""
    return runs.derived("newest first", _sorted)


def _sorted(rows: Rows[AgentRun]) -> list[AgentRun]:
    return sorted(rows.values(), key=lambda run: (run.created_at, run.id), reverse=True)


def events_by_run(events: Snapshot[AgentRunEvent]) -> Mapping[str, list[AgentRunEvent]]:
    """Return the loaded events of each run, oldest first."""
    return events.derived("by run", _grouped)


def _grouped(rows: Rows[AgentRunEvent]) -> dict[str, list[AgentRunEvent]]:
    groups: dict[str, list[AgentRunEvent]] = {}
    for event in sorted(rows.values(), key=order_of):
        groups.setdefault(event.run_id, []).append(event)
    return groups


def order_of(event: AgentRunEvent) -> tuple[datetime, int, datetime]:
    """Return what to sort the events of a run by."""
    return event.at, event.seq, event.created_at


def board_html(runs: Iterable[AgentRun], viewer: Viewer) -> str:
    """Show runs as one list."""
    return f'<div class="tv-runs" role="list">{"".join(_row_html(run, viewer) for run in runs)}</div>'


def _row_html(run: AgentRun, viewer: Viewer) -> str:
    return (
        f'<article class="tv-run" role="listitem" data-row="{as_html(run.id)}">'
        f"<h3><bdi>{as_html(run.agent_name)}</bdi>{_chips_html(run, viewer)}</h3>"
        f"{_facts_html(run, viewer)}{bar_html(run)}"
        f'<div class="tv-buttons">{_button("open", "Open", run)}{_actions_html(run, viewer)}</div></article>'
    )


def _actions_html(run: AgentRun, viewer: Viewer) -> str:
    mine = run.user_id == viewer.user_id
    if not run.status.finished:
        return _button("cancel", "Cancel", run) if mine or viewer.admin else ""
    return _button("retry", "Try again", run) if mine else ""


def _button(action: str, label: str, run: AgentRun) -> str:
    title = as_html(f"{label}: {run.agent_name}")
    return (
        f'<button type="button" class="tv-action" data-action="{action}" aria-label="{title}">'
        f"{label}</button>"
    )


def chip_html(run: AgentRun) -> str:
    """Show the status."""
    return f'<span class="tv-state {_tone(run.status)}">{LABELS[run.status]}</span>'


def _tone(status: RunStatus) -> str:
    if status in _GOOD:
        return "good"
    if status in _BAD:
        return "bad"
    return "idle" if status in _IDLE else "busy"


def _chips_html(run: AgentRun, viewer: Viewer) -> str:
    retry = '<span class="tv-state idle">another try</span>' if run.retry_of else ""
    stuck = '<span class="tv-state warn">no sign of life</span>' if run.stuck(viewer.now) else ""
    return chip_html(run) + retry + stuck + saving_html(run.id in viewer.pending)


def bar_html(run: AgentRun) -> str:
    """Show the progress."""
    percent = round(run.progress_percent)
    return (
        f'<div class="tv-bar {_tone(run.status)}" role="progressbar" aria-label="Progress" aria-valuemin="0"'
        f' aria-valuemax="100" aria-valuenow="{percent}"><i style="width: {percent}%"></i></div>'
    )


def _facts_html(run: AgentRun, viewer: Viewer) -> str:
    person = viewer.find(run.user_id)
    facts = [
        f"<span>{avatar_html(person, 'small')}<bdi>{as_html(name_of(person))}</bdi></span>",
        f"<span>{_when(run, viewer)}</span>",
        f"<span>{run.progress_percent:.0f} %</span>",
    ]
    if run.task_id:
        facts.append(f"<span>Task <bdi>{as_html(shortened(run.task_id, 60))}</bdi></span>")
    if run.tokens or run.cost_usd:
        facts.append(f"<span>{run.tokens:,} tokens · ${run.cost_usd:.4f}</span>")
    if run.current_step and not run.status.finished:
        facts.append(f"<span><bdi>{as_html(shortened(run.current_step, 120))}</bdi></span>")
    return f'<div class="tv-facts">{"".join(facts)}</div>'


def _when(run: AgentRun, viewer: Viewer) -> str:
    began = times.short_day(run.started_at, viewer.zone, viewer.now.astimezone(viewer.zone).date())
    if run.completed_at is None:
        return f"since {began}"
    return f"{began}, took {seconds((run.completed_at - run.started_at).total_seconds())}"


def seconds(length: float) -> str:
    """Return a length of time in words: `350 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`."""
    if length < 1:
        return f"{max(0, round(length * 1000))} ms"
    if length < 60:
        return f"{length:.1f} s"
    whole = round(length)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def run_html(run: AgentRun, viewer: Viewer) -> str:
    """Show everything about one run but its timeline and log."""
    parts = [
        f'<article class="tv-run" data-row="{as_html(run.id)}"><h3><bdi>{as_html(run.agent_name)}</bdi>',
        f"{_chips_html(run, viewer)}</h3>{_facts_html(run, viewer)}{bar_html(run)}",
    ]
    if run.error:
        parts.append(f'<p class="tv-quote tv-error">{as_html(run.error)}</p>')
    for title, value in (("Result", run.result), ("About", _about(run, viewer))):
        if value is not None:
            parts.append(f"<h4>{title}</h4>{_value_html(value)}")
    if run.verification_evidence:
        tries = plural(run.verification_attempts, "verification")
        blocks = "".join(_value_html(each) for each in run.verification_evidence)
        parts.append(f"<h4>Evidence ({tries})</h4>{blocks}")
    again = _button("before", "The try before", run) if run.retry_of else ""
    parts.append(f'<div class="tv-buttons">{_actions_html(run, viewer)}{again}</div></article>')
    return "".join(parts)


def _about(run: AgentRun, viewer: Viewer) -> Mapping[str, object]:
    """Return what the run says of itself, and what only the page of one run has room for."""
    return {
        "agent": run.agent_id,
        "started": times.full(run.started_at, viewer.zone),
        "last sign of life": times.full(run.heartbeat_at, viewer.zone),
        **run.metadata,
    }


def _value_html(value: object) -> str:
    """Show a value that an agent gave: named values as a list of them, anything else as JSON."""
    if not isinstance(value, Mapping) or not value:
        return f'<pre class="tv-json">{as_html(_as_text(value, indent=2))}</pre>'
    pairs = (f"<dt>{as_html(str(name))}</dt><dd>{as_html(_as_text(one))}</dd>" for name, one in value.items())
    return f'<dl class="tv-values">{"".join(pairs)}</dl>'


def _as_text(value: object, indent: int | None = None) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)


def timeline_html(run: AgentRun, events: Sequence[AgentRunEvent], viewer: Viewer) -> str:
    """Show steps and statuses, with how long each lasted."""
    marks = [event for event in events if event.kind is not EventKind.LOG]
    if not marks:  # of a run that was seen this moment, the events are still to come
        return '<ol class="tv-timeline" aria-label="Timeline"></ol>'
    ends = [event.at for event in marks[1:]] + [run.completed_at or viewer.now]
    rows = [
        f'<li class="{event.kind.value}"><time>{event.at.astimezone(viewer.zone):%H:%M:%S}</time>'
        f"<span>{_mark_html(event, viewer)}</span>{_length_html(event, end)}</li>"
        for event, end in zip(marks, ends, strict=True)
    ]
    return f'<ol class="tv-timeline" aria-label="Timeline">{"".join(rows)}</ol>'


def _length_html(event: AgentRunEvent, end: datetime) -> str:
    if event.kind is EventKind.STATUS and event.message in _ENDS:
        return ""
    return f"<small>{seconds(max(0.0, (end - event.at).total_seconds()))}</small>"


_ENDS = frozenset(status.value for status in RunStatus if status.finished)


def _mark_html(event: AgentRunEvent, viewer: Viewer) -> str:
    if event.kind is EventKind.STEP:
        return f"<bdi>{as_html(event.message)}</bdi>"
    status = RunStatus(event.message)
    by = (event.data or {}).get("by")
    # Who did it is worth a word where it was not the run's own agent.
    told = f" by {as_html(name_of(viewer.find(str(by))))}" if by and by != event.user_id else ""
    return f'<b class="tv-state {_tone(status)}">{LABELS[status]}</b>{told}'


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log: said at `at`, by the agent's clock; known since `known_at`, by the database's."""

    at: datetime
    known_at: datetime
    level: Level
    text: str


def log_lines(events: Iterable[AgentRunEvent], words: str) -> list[LogLine]:
    """Return the lines that have every word."""
    wanted = words.casefold().split()
    return [
        LogLine(event.at, event.created_at, event.level, line)
        for event in events
        if event.kind is EventKind.LOG
        for line in event.message.split("\n")
        if all(word in line.casefold() for word in wanted)
    ]


def log_html(lines: Sequence[LogLine], zone: ZoneInfo) -> str:
    """Show the newest lines."""
    rows = [
        f'<div class="{line.level.value}"><time>{line.at.astimezone(zone):%H:%M:%S}</time>'
        f"<span>{as_html(line.text)}</span></div>"
        for line in lines[-_LONGEST_TAIL:]
    ]
    inner = "".join(rows) or '<p class="tv-lead">No lines.</p>'
    return f'<div class="tv-tail" role="log" aria-label="Log">{inner}</div>'


_LONGEST_TAIL = 500
