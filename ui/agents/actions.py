"""What people do with runs: start one, cancel it, try it again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Protocol

import streamlit as st

from db.agents import runs
from db.agents.models import AgentRun, RunStatus
from db.agents.runs import RunDraft
from db.auth.accounts import SignedIn
from db.columns import Record
from livetables.fragments import live_fragment
from ui.agents import tables
from ui.base import drafts, feedback, html, session
from ui.base.text import as_label
from ui.base.write_queue import WRITES, Expected, Write
from ui.writes.saving import Saving
from ui.writes.submit import applying, submit

_HINT: Final = html.Template('<p class="tv-lead">{text}</p>')
_DEFAULT_TASK: Final = "Check the project's documents"
_LONGEST_TASK: Final = 200
_WHAT_IT_DOES: Final = (
    "The demo agent checks the links, headings and style of this project's documents, whatever its task is "
    "called. The name is for finding its run again."
)
_FORM: Final = "agents_started"
_SAVING: Final = Saving(_FORM)


class LocalAgent(Protocol):
    """An agent that this process runs. Other agents find their pending runs by themselves."""

    @property
    def name(self) -> str:
        """The agent's name in its runs."""

    def start(self, me: SignedIn, run_id: str, metadata: Mapping[str, object]) -> None:
        """Start work on a pending run of this person."""

    def stop(self, run_id: str) -> None:
        """Stop work on a run, if this process works on it."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is about to be created: by `create`, which calls the database."""

    id: str
    draft: RunDraft
    create: Callable[[SignedIn], Record]
    retry_of: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


# ---------------------------------------------------------------- starting


@live_fragment(tables=(WRITES,), varies_by=("user",), key="agents_start")
def show_start_form(agent: LocalAgent) -> None:
    """Show the form that starts the demo agent, which is `agent`."""
    number = int(st.session_state.get(_FORM, 0))
    if _SAVING.finished():
        number = st.session_state[_FORM] = number + 1  # which empties the form
        drafts.forget(drafts.AGENT)
    key = drafts.shown(drafts.AGENT, f"{_FORM}_{number}").key
    drafts.keep(drafts.AGENT, key)
    html.show(_HINT(text=_WHAT_IT_DOES))
    with (
        st.form(f"agents_start_{number}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        task = st.text_input(
            "Name of the task", placeholder=_DEFAULT_TASK, max_chars=_LONGEST_TASK, key=f"{key}_task"
        )
        submitted = _SAVING.submit("Start the demo agent", ":material/play_arrow:")
    if not submitted:
        _SAVING.show()
        return
    # A second click has the same id, so that it starts nothing more.
    run_id = str(st.session_state.setdefault(f"{_FORM}_id_{number}", str(uuid.uuid4())))
    draft = RunDraft(agent.name, agent.name, task.strip() or _DEFAULT_TASK)
    new = NewRun(run_id, draft, lambda me: runs.start(me, run_id, draft))
    _SAVING.begin(_start(new, agent, notify=False))
    st.rerun(scope="fragment")


def retry(run: AgentRun, agent: LocalAgent) -> None:
    """Try a finished run again, unless a retry of it is under way."""
    if any(one.retry_of == run.id and not one.status.finished for one in tables.newest_agent_runs()):
        feedback.toast("A retry is under way already.", ":material/info:")
        return
    run_id = str(uuid.uuid4())
    draft = RunDraft(run.agent_name, run.agent_id, run.task_id)
    _start(NewRun(run_id, draft, lambda me: runs.retry(me, run_id, run), run.id, run.metadata), agent)


def _start(new: NewRun, agent: LocalAgent, *, notify: bool = True) -> Write:
    create = applying("agent_runs", new.create)

    def create_and_start(me: SignedIn) -> None:
        create(me)
        if new.draft.agent_name == agent.name:
            agent.start(me, new.id, new.metadata)

    expected = expected_run(new.id, session.my_id() or "", new.draft, new.retry_of, new.metadata)
    return submit(create_and_start, Expected("agent_runs", (new.id,), expected, new=True), notify=notify)


def expected_run(
    run_id: str,
    user_id: str,
    draft: RunDraft,
    retry_of: str | None = None,
    metadata: Mapping[str, object] | None = None,
) -> AgentRun:
    """Return a run as the database will create it."""
    now = datetime.now(UTC)
    return AgentRun(
        id=run_id, task_id=draft.task_id, user_id=user_id, agent_name=draft.agent_name,
        agent_id=draft.agent_id, status=RunStatus.PENDING, status_at=now, current_step=None,
        progress_percent=0.0, result=None, error=None, metadata=metadata or {}, verification_attempts=0,
        verification_evidence=(), tokens=0, cost_usd=Decimal(0), retry_of=retry_of, started_at=now,
        heartbeat_at=now, completed_at=None, version=0, created_at=now, updated_at=now,
    )  # fmt: skip


# ---------------------------------------------------------------- cancelling


@st.dialog("Cancel this run?")
def ask_to_cancel(run: AgentRun, agent: LocalAgent) -> None:
    """Cancel a run after one more question."""
    st.markdown(f"**{as_label(run.agent_name)}** stops when it next reports to Tavern.")
    st.caption("The run keeps what it has done so far. You can try again with a new run.")
    if not st.button("Yes, cancel it", type="primary"):
        return
    # The run may have finished while the dialog was open.
    newest = tables.newest_agent_runs().get((run.id,))
    if newest is None or not newest.status.finished:
        _cancel(run, agent)
    st.rerun()


def _cancel(run: AgentRun, agent: LocalAgent) -> None:
    apply_cancel = applying("agent_runs", lambda me: runs.cancel(me, run.id))

    def cancel(me: SignedIn) -> None:
        apply_cancel(me)
        agent.stop(run.id)  # Right away; agents elsewhere stop with their next report.

    submit(cancel, Expected("agent_runs", (run.id,), expected_cancelled(run)))


def expected_cancelled(run: AgentRun) -> AgentRun:
    """Return a run as the database will change it when it is cancelled."""
    now = datetime.now(UTC)
    return replace(run, status=RunStatus.CANCELLED, status_at=now, completed_at=now)
