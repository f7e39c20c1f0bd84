"""A word in passing when a run of one's own has come to its end, on whatever page."""

from __future__ import annotations

from typing import cast

import streamlit as st

from db.agent_models import AgentRun, RunStatus
from live.fragments import live_fragment
from ui import session, writing

_SEEN = "tavern_running"
_WORDS = {
    RunStatus.COMPLETED: ("{} is done.", ":material/check_circle:"),
    RunStatus.FAILED: ("{} failed.", ":material/error:"),
    RunStatus.ESCALATED_TO_HUMAN: ("{} needs a human.", ":material/front_hand:"),
}


@live_fragment(tables=("agent_runs",), varies_by=("user",), key="run_notices")
def show() -> None:
    """Watch the person's runs; what had ended before they came is old news."""
    me = session.my_id()
    if me is None:
        st.session_state.pop(_SEEN, None)
        return
    runs = session.agent_runs()
    running = cast("frozenset[str]", st.session_state.get(_SEEN, frozenset()))
    for run_id in running:
        run = runs.get((run_id,))
        if run is not None:
            _tell(run)
    mine = (run.id for run in runs.values() if run.user_id == me and not run.status.finished)
    st.session_state[_SEEN] = frozenset(mine)


def _tell(run: AgentRun) -> None:
    if run.status in _WORDS:
        words, icon = _WORDS[run.status]
        writing.say(words.format(run.agent_name), icon)
