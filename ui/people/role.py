"""The form with which admins change somebody's role."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from db.hub import users
from db.hub.models import Role
from ui.base import session
from ui.base.people import name_of
from ui.base.write_queue import Expected
from ui.writes.submit import submit_row


@st.fragment(key="person_role")
def show(user_id: str) -> None:
    """Show the form."""
    user = session.users().get((user_id,))
    if user is None:
        return
    with st.form(f"role_{user.id}", border=True):
        name = st.selectbox(
            "Role",
            [each.value for each in Role],
            index=list(Role).index(user.role),
            key=f"role_of_{user.id}",
        )
        changed = st.form_submit_button("Change role")
    role = Role(name)
    if not changed or role is user.role:
        return
    submit_row(
        users.TABLE,
        lambda me: users.set_role(me, user.id, role, version=user.version),
        Expected(users.TABLE, (user.id,), replace(user, role=role)),
        success_message=f"{name_of(user)} is now {role.value}.",
    )
