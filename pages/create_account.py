"""The page to create an account."""

from __future__ import annotations

import streamlit as st

from db.auth.accounts import ConfirmationNeeded
from db.errors import DatabaseError, SignUpRefusedError
from ui.base import drafts, feedback, layout, session
from ui.base.text import as_label, one_line
from ui.shell import attempts, destination, identity
from ui.shell.account import already_in, sign_in_link
from ui.shell.account_fields import SHORTEST_PASSWORD, Problems, problems_of_account
from ui.shell.run_app import run_whole_app


def show() -> None:
    if already_in():
        return
    layout.page_head("Join the Tavern", "Pull up a chair. It takes a minute.")
    draft = drafts.shown(drafts.ACCOUNT, "create_account")
    drafts.keep(drafts.ACCOUNT, draft.key)
    with st.container(key="account"):
        with st.form("create_account", border=True):
            name = st.text_input(
                "Display name", key=f"{draft.key}_name", max_chars=60, autocomplete="nickname"
            )
            places = {"name": st.container()}
            email = st.text_input("Email", key=f"{draft.key}_email", autocomplete="email")
            places["email"] = st.container()
            password = st.text_input(
                "Password",
                type="password",
                key="new_password",
                autocomplete="new-password",
                placeholder=f"At least {SHORTEST_PASSWORD} characters, not a common one",
            )
            places["password"] = st.container()
            sent = st.form_submit_button("Create account", type="primary", width="stretch")
        if sent:
            problems = problems_of_account(name, email, password)
            feedback.show_problems(problems or _create_account(one_line(name), email, password), places)
        sign_in_link("You have an account? Sign in")


def _create_account(name: str, email: str, password: str) -> Problems:
    """Create the account, and go on; return what the Auth service finds wrong with a field."""
    try:
        attempts.count()
        result = session.services().accounts.sign_up(email, password, name, user_agent=session.user_agent())
    except SignUpRefusedError as error:
        if error.field is None:
            feedback.show_error(error)
            return {}
        return {error.field: str(error)}
    except DatabaseError as error:
        feedback.show_error(error)
        return {}
    if isinstance(result, ConfirmationNeeded):
        st.success(
            f"Almost there: we sent an email to **{as_label(result.email)}**. "
            "Open the link in it, then sign in here.",
            icon=":material/mark_email_unread:",
        )
        return {}
    identity.enter(result)
    drafts.forget(drafts.ACCOUNT)
    destination.go()
    return {}


if __name__ == "__main__":
    run_whole_app()
