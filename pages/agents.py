"""Agents: the runs of agents, live; everybody's for admins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import streamlit as st

from db.agents.models import AgentRun
from db.auth.accounts import SignedIn
from demo_agent import agent as demo
from publish.background import Project
from ui.agents import board, run
from ui.agents.actions import ask_to_cancel, retry, show_start_form
from ui.agents.filters import show_filters
from ui.base import address, layout, session
from ui.base.html_actions import clicked
from ui.shell.account import invite
from ui.shell.run_app import run_whole_app

_BLOCK: Final = "agent_board"
"""The key of the container whose buttons `_actions` answers."""
_DOCUMENTS: Final = Path(__file__).parents[1]
"""The folder whose documents the demo agent checks."""


class _DemoAgent:
    """The demo agent, which works in this process."""

    name: Final = demo.NAME

    def start(self, me: SignedIn, run_id: str, metadata: Mapping[str, object]) -> None:
        settings = me.clients.settings
        options = demo.options_of(_DOCUMENTS, metadata)
        demo.start(run_id, options, Project(settings.url, settings.key), me.access_token)

    def stop(self, run_id: str) -> None:
        demo.BACKGROUND.stop(run_id)


_DEMO: Final = _DemoAgent()


def show() -> None:
    layout.page_head("Agents", "What agents are doing, and how their runs ended.")
    if session.signed_in() is None:
        invite("🤖", "Sign in to see your agents", "You see your own runs only.")
        return
    board.show_stuck()
    run_id = address.read(run.PARAMETER)
    if run_id is None:
        _board()
    else:
        _one_run(run_id)
    _actions()


def _board() -> None:
    show_start_form(_DEMO)
    show_filters()
    with st.container(key=_BLOCK):
        board.show_runs()
    board.show_export()


def _one_run(run_id: str) -> None:
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary"):
        address.replace({})  # The filters still know their values, and write them to the address again.
        st.rerun()
    with st.container(key=_BLOCK):
        run.show_run(run_id)
    run.show_log(run_id)


@st.fragment(key="agents_actions")
def _actions() -> None:
    click = clicked(_BLOCK)
    found = run.find_run(click.row) if click else None
    if click is not None and found is not None:
        _act(click.action, found)


def _act(action: str, found: AgentRun) -> None:
    match action:
        case "open":
            run.open_run(found.id)
            st.rerun()
        case "earlier":
            run.open_run(found.retry_of or found.id)
            st.rerun()
        case "cancel":
            ask_to_cancel(found, _DEMO)
        case "retry":
            retry(found, _DEMO)


if __name__ == "__main__":
    run_whole_app()
