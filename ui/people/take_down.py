"""Taking somebody's picture down, for admins."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from db.hub import pictures, users
from db.hub.models import User
from livetables.fragments import live_fragment
from ui.base import session
from ui.base.people import name_of
from ui.base.write_queue import WRITES, Expected
from ui.writes.submit import submit_row


@live_fragment(tables=("users", WRITES), varies_by=("user",), key="person_take_down")
def show(user_id: str) -> None:
    """Show the button while the person has a picture. The database decides again."""
    user = session.users().get((user_id,))
    if user is None or not user.picture or user.id == session.my_id() or not session.is_admin():
        return
    if st.button("Take the picture down", icon=":material/hide_image:", key="take_picture_down"):
        _confirm(user)


@st.dialog("Take this picture down?")
def _confirm(user: User) -> None:
    picture, name = user.picture, name_of(user)
    if picture is None:
        return
    st.text(f"Everybody sees the emoji of {name} again, and the file is deleted.")
    st.caption("You cannot undo this. The activity says that you did it.")
    if st.button("Yes, take it down", type="primary", icon=":material/hide_image:"):
        submit_row(
            users.TABLE,
            lambda me: pictures.take_down(me, user.id, picture),
            Expected(users.TABLE, (user.id,), replace(user, picture=None)),
            success_message=f"The picture of {name} is taken down.",
        )
        st.rerun()
