"""Making an account."""

from __future__ import annotations

import streamlit as st

from db.auth import ConfirmationNeeded
from db.errors import DatabaseError
from ui import identity, layout, session, writing
from ui.account import already_in, next_place
from ui.first_run import run_whole_app
from ui.sidebar import Place, page
from ui.text import as_label, one_line

_SHORTEST_PASSWORD = 6


def show() -> None:
    layout.page_head("Join the Tavern", "Pull up a chair. It takes a minute.")
    if already_in():
        return
    with st.container(key="account"):
        with st.form("create_account", border=True):
            name = st.text_input("Display name", key="new_name", max_chars=60, autocomplete="nickname")
            email = st.text_input("Email", key="new_email", autocomplete="email")
            password = st.text_input(
                "Password",
                type="password",
                key="new_password",
                autocomplete="new-password",
                help=f"At least {_SHORTEST_PASSWORD} characters.",
            )
            sent = st.form_submit_button("Create account", type="primary", width="stretch")
        if sent:
            _create_account(one_line(name), email, password)
        st.page_link(page(Place.SIGN_IN), label="You have an account? Sign in")


def _create_account(name: str, email: str, password: str) -> None:
    problem = _problem(name, email, password)
    if problem:
        st.warning(problem)
        return
    try:
        result = session.services().accounts.sign_up(email, password, name)
    except DatabaseError as error:
        writing.complain(error)
        return
    if isinstance(result, ConfirmationNeeded):
        st.success(
            f"Almost there: we have sent a letter to **{as_label(result.email)}**. "
            "Open the link in it, then sign in here.",
            icon=":material/mark_email_unread:",
        )
        return
    identity.enter(result)
    st.switch_page(page(next_place()))


def _problem(name: str, email: str, password: str) -> str | None:
    if not name:
        return "Please choose the name that others will see."
    if "@" not in email:
        return "Please enter your e-mail address."
    if len(password) < _SHORTEST_PASSWORD:
        return f"Please choose a password of at least {_SHORTEST_PASSWORD} characters."
    return None


if __name__ == "__main__":
    run_whole_app()
