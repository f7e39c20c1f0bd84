"""A toast on any page when one of the person's own runs ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, cast

import streamlit as st

from db.agents.models import AgentRun, RunStatus
from livetables.fragments import live_fragment
from ui.agents import tables
from ui.base import feedback, session

_STATE: Final = "tavern_run_notices"
_TOASTS: Final[Mapping[RunStatus, tuple[str, str]]] = {
    RunStatus.COMPLETED: ("{} is done.", ":material/check_circle:"),
    RunStatus.FAILED: ("{} failed.", ":material/error:"),
    RunStatus.ESCALATED_TO_HUMAN: ("{} needs a human.", ":material/front_hand:"),
}


@dataclass(slots=True)
class RunWatch:
    """What one session has seen of its person's runs since `since`; runs that ended earlier are not news."""

    user_id: str
    since: datetime
    running: set[str] = field(default_factory=set)
    announced: set[str] = field(default_factory=set)

    def ended(self, runs: Iterable[AgentRun]) -> list[AgentRun]:
        """Return the runs that have ended since the last call, in the order of their ends.

        A run that was seen running counts however late its end arrives. A short run that was never seen
        running counts by the time of its end.
        """
        mine = [run for run in runs if run.user_id == self.user_id]
        ended = [run for run in mine if run.status.finished and self._is_new(run)]
        self.announced.update(run.id for run in ended)
        self.running = {run.id for run in mine if not run.status.finished}
        return sorted(ended, key=lambda run: run.completed_at or self.since)

    def _is_new(self, run: AgentRun) -> bool:
        if run.id in self.announced:
            return False
        return run.id in self.running or (run.completed_at is not None and run.completed_at > self.since)


@live_fragment(tables=("agent_runs",), varies_by=("user",), key="run_notices")
def show() -> None:
    """Announce the person's runs that end."""
    me = session.my_id()
    if me is None:
        st.session_state.pop(_STATE, None)
        return
    watch = cast("RunWatch | None", st.session_state.get(_STATE))
    if watch is None or watch.user_id != me:
        watch = st.session_state[_STATE] = RunWatch(me, datetime.now(UTC))
    for run in watch.ended(tables.agent_runs()):
        if run.status in _TOASTS:
            text, icon = _TOASTS[run.status]
            feedback.toast(text.format(run.agent_name), icon)
