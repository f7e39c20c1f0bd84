"""The script of the tabs that are opened and closed. It shows public rows, private rows, and a view."""

import streamlit as st

from livetables.fragments import live_fragment
from livetables.running_session import bind_session, choose
from livetables.tables.filters import parse
from tests.livetables import stage

bind_session(stage.engine, stage.user)
if stage.user is not None:
    choose("agent_runs", parse("status=eq.in_progress"))


@live_fragment(tables=["tavern_messages", "users"])
def room() -> None:
    """Show public rows."""
    st.text(f"messages: {len(st.session_state.tavern_messages)}")


@live_fragment(tables=["private_messages", "agent_runs"], varies_by=["user"])
def own() -> None:
    """Show private rows."""
    st.text(f"private: {len(st.session_state.get('private_messages') or ())}")


room()
own()
