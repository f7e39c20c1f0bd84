"""The page to sign in."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from db.errors import DatabaseError
from livetables.auth.fields import problems_of_sign_in
from ui.base import drafts, feedback, layout, session
from ui.shell import attempts, demo, destination, identity
from ui.shell.account import already_in, create_account_link
from ui.shell.demo import DemoPerson
from ui.shell.run_app import run_whole_app


def show() -> None:
    if already_in():
        return
    layout.page_head("Welcome back", "Take your usual seat.")
    draft = drafts.shown(drafts.ACCOUNT, "sign_in")
    drafts.keep(drafts.ACCOUNT, draft.key)
    with st.container(key="account"):
        with st.form("sign_in", border=True):
            email = st.text_input("Email", key=f"{draft.key}_email", autocomplete="email")
            places = {"email": st.container()}
            password = st.text_input(
                "Password", type="password", key="sign_in_password", autocomplete="current-password"
            )
            places["password"] = st.container()
            sent = st.form_submit_button("Sign in", type="primary", width="stretch")
        if sent:
            problems = problems_of_sign_in(email, password)
            feedback.show_problems(problems, places)
            if not problems:
                _sign_in(email, password)
        create_account_link("New here? Create an account")
        if people := demo.people(session.services()):
            _demo_people(people)


def _sign_in(email: str, password: str) -> None:
    try:
        attempts.count()
        me = session.services().accounts.sign_in(email, password, user_agent=session.user_agent())
    except DatabaseError as error:
        feedback.show_error(error)
        return
    identity.enter(me)
    drafts.forget(drafts.ACCOUNT)
    destination.go()


def _demo_people(people: Sequence[DemoPerson]) -> None:
    st.divider()
    st.caption("This is a local demo. Look around as one of its people:")
    with st.container(horizontal=True):
        for person in people:
            if st.button(f"{person.name}, {person.role}", key=f"demo_{person.name}"):
                _sign_in(person.email, demo.PASSWORD)


if __name__ == "__main__":
    run_whole_app()
