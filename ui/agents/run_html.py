"""Runs of agents as HTML: the list, one run, its timeline and its log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from db.agents.models import (
    AgentRun,
    AgentRunEvent,
    EventKind,
    Level,
    RunStatus,
)
from ui.base import times
from ui.base.feedback import saving_html
from ui.base.folding import matches
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.people import FindUser, avatar_html, linked_name_html, name_of
from ui.base.region import Region
from ui.base.text import plural, shortened

STATUS_LABELS: Final[Mapping[RunStatus, str]] = {
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
_GOOD: Final = frozenset({RunStatus.VERIFICATION_PASSED, RunStatus.COMPLETED})
_BAD: Final = frozenset({RunStatus.VERIFICATION_FAILED, RunStatus.FAILED, RunStatus.ESCALATED_TO_HUMAN})
_IDLE: Final = frozenset({RunStatus.PENDING, RunStatus.CANCELLED})
_FINAL_STATUSES: Final = frozenset(status.value for status in RunStatus if status.finished)
_LOG_LINES_SHOWN: Final = 500

_LIST: Final = Template('<div class="tv-runs">{rows}</div>')
_ROW: Final = Template(
    '<article class="tv-run" data-row="{id}"><h2><bdi>{agent}</bdi>{chips}</h2>'
    '{facts}{bar}<div class="tv-buttons">{buttons}</div></article>'
)
_RUN: Final = Template(
    '<article class="tv-run" data-row="{id}"><h2><bdi>{agent}</bdi>{chips}</h2>'
    '{facts}{bar}{sections}<div class="tv-buttons">{buttons}</div></article>'
)
_BUTTON: Final = Template(
    '<button type="button" class="tv-action" data-action="{action}" aria-label="{label}: {agent}">'
    "{label}</button>"
)
_CHIP: Final = Template('<span class="tv-state {tone}">{text}</span>')
_SIMULATED: Final = Template(
    '<span class="tv-state warn" title="The agent did not measure these figures">Simulated</span>'
)
_BAR: Final = Template(
    '<div class="tv-bar {tone}" role="progressbar" aria-label="Progress" aria-valuemin="0"'
    ' aria-valuemax="100" aria-valuenow="{percent}"><i style="width: {percent}%"></i></div>'
)
_FACTS: Final = Template('<div class="tv-facts">{facts}</div>')
_FACT: Final = Template("<span>{content}</span>")
_TEXT: Final = Template("<bdi>{text}</bdi>")
_ERROR: Final = Template('<p class="tv-quote tv-error">{text}</p>')
_SECTION: Final = Template("<h3>{title}</h3>{content}")
_JSON: Final = Template('<pre class="tv-json" tabindex="0">{text}</pre>')
_VALUES: Final = Template('<dl class="tv-values" tabindex="0">{pairs}</dl>')
_PAIR: Final = Template("<dt>{name}</dt><dd>{value}</dd>")
_TIMELINE: Final = Template('<ol class="tv-timeline" aria-label="Timeline">{items}</ol>')
_MARK: Final = Template('<li class="{kind}"><time>{time}</time><span>{content}</span>{duration}</li>')
_DURATION: Final = Template("<small>{duration}</small>")
_STATUS: Final = Template('<b class="tv-state {tone}">{label}</b>{by}')
_LOG: Final = Template('<div class="tv-tail" role="log" aria-label="Log">{lines}</div>')
_LOG_LINE: Final = Template('<div class="{level}"><time>{time}</time><span>{text}</span></div>')
_NO_LINES: Final = Template('<p class="tv-lead">No lines.</p>')


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the runs: their id and rights, region and moment, and how they find people by id.

    `pending` are the ids of the runs whose changes the database has not confirmed.
    """

    user_id: str
    admin: bool
    region: Region
    now: datetime
    find: FindUser
    pending: frozenset[str] = frozenset()

    @property
    def today(self) -> date:
        """The viewer's date."""
        return self.now.astimezone(self.region.zone).date()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log. `at` is by the agent's clock, `known_at` by the database's."""

    at: datetime
    known_at: datetime
    level: Level
    text: str


def is_simulated(run: AgentRun) -> bool:
    """Tell whether the agent says that it made the run's figures up."""
    return run.metadata.get("simulated") is True


# ---------------------------------------------------------------- the list


def runs_html(runs: Iterable[AgentRun], viewer: Viewer) -> Markup:
    """Show runs as one list."""
    return _LIST(rows=join(_row(run, viewer) for run in runs))


def _row(run: AgentRun, viewer: Viewer) -> Markup:
    return _ROW(
        id=run.id,
        agent=run.agent_name,
        chips=_chips(run, viewer),
        facts=_facts(run, viewer),
        bar=bar_html(run),
        buttons=join((_button("open", "Open", run), _actions(run, viewer))),
    )


def _actions(run: AgentRun, viewer: Viewer) -> Markup:
    mine = run.user_id == viewer.user_id
    if not run.status.finished:
        return _button("cancel", "Cancel", run) if mine or viewer.admin else EMPTY
    return _button("retry", "Try again", run) if mine else EMPTY


def _button(action: str, label: str, run: AgentRun) -> Markup:
    return _BUTTON(action=action, label=label, agent=run.agent_name)


def _tone(status: RunStatus) -> str:
    if status in _GOOD:
        return "good"
    if status in _BAD:
        return "bad"
    return "idle" if status in _IDLE else "busy"


def _chips(run: AgentRun, viewer: Viewer) -> Markup:
    chips = [_CHIP(tone=_tone(run.status), text=STATUS_LABELS[run.status])]
    if is_simulated(run):
        chips.append(_SIMULATED())
    if run.retry_of:
        chips.append(_CHIP(tone="idle", text="Retry"))
    if run.stuck(viewer.now):
        chips.append(_CHIP(tone="warn", text="Not responding"))
    return join((*chips, saving_html(run.id in viewer.pending)))


def bar_html(run: AgentRun) -> Markup:
    """Show the progress."""
    return _BAR(tone=_tone(run.status), percent=round(run.progress_percent))


def _facts(run: AgentRun, viewer: Viewer) -> Markup:
    person = viewer.find(run.user_id)
    facts = [
        join((avatar_html(person, "small"), linked_name_html(person))),
        _period(run, viewer),
        f"{run.progress_percent:.0f} %",
    ]
    if run.task_id:
        facts.append(join(("Task ", _TEXT(text=shortened(run.task_id, 60)))))
    if run.tokens or run.cost_usd:
        facts.append(f"{run.tokens:,} tokens · ${run.cost_usd:.4f}")
    if run.current_step and not run.status.finished:
        facts.append(_TEXT(text=shortened(run.current_step, 120)))
    return _FACTS(facts=join(_FACT(content=fact) for fact in facts))


def _period(run: AgentRun, viewer: Viewer) -> str:
    began = times.short_day(run.started_at, viewer.region, viewer.today)
    if run.completed_at is None:
        return f"since {began}"
    return f"{began}, took {duration((run.completed_at - run.started_at).total_seconds())}"


def duration(seconds: float) -> str:
    """Write a length of time: `350 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


# ---------------------------------------------------------------- one run


def run_html(run: AgentRun, viewer: Viewer) -> Markup:
    """Show everything about one run but its timeline and log."""
    earlier = _button("earlier", "Earlier run", run) if run.retry_of else EMPTY
    return _RUN(
        id=run.id,
        agent=run.agent_name,
        chips=_chips(run, viewer),
        facts=_facts(run, viewer),
        bar=bar_html(run),
        sections=join(_sections(run, viewer)),
        buttons=join((_actions(run, viewer), earlier)),
    )


def _sections(run: AgentRun, viewer: Viewer) -> Iterable[Markup]:
    if run.error:
        yield _ERROR(text=run.error)
    if run.result is not None:
        yield _SECTION(title="Result", content=_value_html(run.result))
    yield _SECTION(title="About", content=_value_html(_about(run, viewer)))
    if run.verification_evidence:
        verifications = plural(run.verification_attempts, "verification")
        blocks = join(_value_html(each) for each in run.verification_evidence)
        yield _SECTION(title=f"Evidence ({verifications})", content=blocks)


def _about(run: AgentRun, viewer: Viewer) -> Mapping[str, object]:
    """Return the run's own metadata, and the facts that the list has no room for."""
    return {
        "agent": run.agent_id,
        "started": times.full(run.started_at, viewer.region),
        "last heartbeat": times.full(run.heartbeat_at, viewer.region),
        **run.metadata,
    }


def _value_html(value: object) -> Markup:
    """Show a value that an agent gave: an object as a list of its fields, anything else as JSON."""
    if not isinstance(value, Mapping) or not value:
        return _JSON(text=_as_text(value, indent=2))
    return _VALUES(pairs=join(_PAIR(name=str(name), value=_as_text(one)) for name, one in value.items()))


def _as_text(value: object, indent: int | None = None) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)


# ---------------------------------------------------------------- timeline and log


def timeline_html(run: AgentRun, events: Iterable[AgentRunEvent], viewer: Viewer) -> Markup:
    """Show steps and statuses, with how long each lasted; empty until the first event arrives."""
    marks = [event for event in events if event.kind is not EventKind.LOG]
    ends = [*(event.at for event in marks[1:]), run.completed_at or viewer.now][: len(marks)]
    return _TIMELINE(items=join(_mark(mark, end, viewer) for mark, end in zip(marks, ends, strict=True)))


def _mark(event: AgentRunEvent, end: datetime, viewer: Viewer) -> Markup:
    is_end = event.kind is EventKind.STATUS and event.message in _FINAL_STATUSES
    lasted = duration(max(0.0, (end - event.at).total_seconds()))
    return _MARK(
        kind=event.kind.value,
        time=times.second_of_day(event.at, viewer.region, viewer.today),
        content=_mark_content(event, viewer),
        duration=EMPTY if is_end else _DURATION(duration=lasted),
    )


def _mark_content(event: AgentRunEvent, viewer: Viewer) -> Markup:
    if event.kind is EventKind.STEP:
        return _TEXT(text=event.message)
    status = RunStatus(event.message)
    by = (event.data or {}).get("by")
    # The person is named only when it was not the run's own agent.
    name = f" by {name_of(viewer.find(str(by)))}" if by and by != event.user_id else ""
    return _STATUS(tone=_tone(status), label=STATUS_LABELS[status], by=name)


def log_lines(events: Iterable[AgentRunEvent], search: str) -> list[LogLine]:
    """Return the lines of a log that have every word of `search`."""
    return [
        LogLine(event.at, event.created_at, event.level, line)
        for event in events
        if event.kind is EventKind.LOG
        for line in event.message.split("\n")
        if matches(line, search)
    ]


def log_html(lines: Sequence[LogLine], region: Region, today: date) -> Markup:
    """Show the newest lines."""
    shown = lines[-_LOG_LINES_SHOWN:]
    if not shown:
        return _LOG(lines=_NO_LINES())
    return _LOG(lines=join(_log_line(line, region, today) for line in shown))


def _log_line(line: LogLine, region: Region, today: date) -> Markup:
    return _LOG_LINE(level=line.level.value, time=times.second_of_day(line.at, region, today), text=line.text)
