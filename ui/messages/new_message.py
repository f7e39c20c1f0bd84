"""Choosing the person to write to."""

from __future__ import annotations

import streamlit as st

from ui.base import focus, session
from ui.base.people import by_name, option_of
from ui.messages import conversation


@st.fragment(key="inbox_new")
def show() -> None:
    """Show the button that opens the choice."""
    if st.button("New message", icon=":material/edit_square:", width="stretch", key="new_message"):
        focus.move("inbox_new", '[data-testid="stDialog"] input')
        _choose()


@st.dialog("New message")
def _choose() -> None:
    me = conversation.me()
    people = {user.id: user for user in by_name(session.users()) if user.id != me}
    user_id = st.selectbox(
        "To",
        list(people),
        index=None,
        format_func=lambda user_id: option_of(people.get(user_id)),
        placeholder="Search for a person",
    )
    if user_id is not None:
        conversation.open_with(user_id)
        conversation.focus_field(user_id)
        st.rerun()
    focus.follow_moves("inbox_new")
