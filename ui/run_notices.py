"""A word in passing when a run of one's own has come to its end, on whatever page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import streamlit as st

from db.agent_models import AgentRun, RunStatus
from live.fragments import live_fragment
from ui import session, writing

_STATE = "tavern_run_notices"
_WORDS = {
    RunStatus.COMPLETED: ("{} is done.", ":material/check_circle:"),
    RunStatus.FAILED: ("{} failed.", ":material/error:"),
    RunStatus.ESCALATED_TO_HUMAN: ("{} needs a human.", ":material/front_hand:"),
}


@dataclass(slots=True)
class Watch:
    """What one session knows of its person's runs. What had ended before `since` is old news."""

    user_id: str
    since: datetime
    running: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def news(self, runs: Iterable[AgentRun]) -> list[AgentRun]:
        """Return the runs that have ended since the last time, in the order of their ends.

        A run that was seen running counts however late its end is told; one that was not, because it was
        short, counts by the time of its end.
        """
        mine = [run for run in runs if run.user_id == self.user_id]
        ended = [run for run in mine if run.status.finished and run.id not in self.told and self._new(run)]
        self.told.update(run.id for run in ended)
        self.running = {run.id for run in mine if not run.status.finished}
        return sorted(ended, key=lambda run: run.completed_at or self.since)

    def _new(self, run: AgentRun) -> bool:
        return run.id in self.running or (run.completed_at is not None and run.completed_at > self.since)


@live_fragment(tables=("agent_runs",), varies_by=("user",), key="run_notices")
def show() -> None:
    """Watch the person's runs."""
    me = session.my_id()
    if me is None:
        st.session_state.pop(_STATE, None)
        return
    watch = cast("Watch | None", st.session_state.get(_STATE))
    if watch is None or watch.user_id != me:
        watch = st.session_state[_STATE] = Watch(me, datetime.now(UTC))
    for run in watch.news(session.agent_runs()):
        if run.status in _WORDS:
            words, icon = _WORDS[run.status]
            writing.say(words.format(run.agent_name), icon)
