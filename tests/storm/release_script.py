"""The script of the tabs that are opened and closed: public rows, private ones, and a view of some."""

import streamlit as st

from live.filters import parse
from live.fragments import live_fragment
from live.sessions import bind_session, choose
from tests.live import stage

bind_session(stage.engine, stage.user)
if stage.user is not None:
    choose("agent_runs", parse("status=eq.in_progress"))


@live_fragment(tables=["tavern_messages", "users"])
def room() -> None:
    """Show what is said."""
    st.text(f"messages: {len(st.session_state.tavern_messages)}")


@live_fragment(tables=["private_messages", "agent_runs"], varies_by=["user"])
def own() -> None:
    """Show what is private."""
    st.text(f"private: {len(st.session_state.get('private_messages') or ())}")


room()
own()
