"""The page to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import streamlit as st

from db.auth import second_factor
from db.auth.accounts import SignedIn
from db.errors import CodeNeededError, DatabaseError, SignedOutError
from livetables.auth.fields import problems_of_sign_in
from livetables.auth.second_factor import CodeNeeded
from ui.base import drafts, feedback, layout, session
from ui.shell import attempts, demo, destination, identity
from ui.shell.account import already_in, create_account_link
from ui.shell.demo import DemoPerson
from ui.shell.run_app import run_whole_app

_WAITING: Final = "sign_in_waiting"
_STEP: Final = "sign_in_code"


def show() -> None:
    if already_in():
        st.session_state.pop(_WAITING, None)
        return
    waiting = cast("CodeNeeded | None", st.session_state.get(_WAITING))
    if waiting is not None:
        _ask_for_code(waiting)
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
    except CodeNeededError as needed:
        st.session_state[_WAITING] = needed.waiting
        st.rerun()
    except DatabaseError as error:
        feedback.show_error(error)
        return
    _go_on(me)


def _go_on(me: SignedIn) -> None:
    st.session_state.pop(_WAITING, None)
    identity.enter(me)
    drafts.forget(drafts.ACCOUNT)
    destination.go()


def _ask_for_code(waiting: CodeNeeded) -> None:
    layout.page_head("One more step", "Your account asks for a code as well.")
    with st.container(key="account"):
        with st.form("sign_in_code", border=True):
            code = st.text_input(
                "Six-digit code of your authenticator app",
                key=_STEP,
                max_chars=40,
                autocomplete="one-time-code",
            )
            place = st.container()
            sent = st.form_submit_button("Sign in", type="primary", width="stretch")
        if sent:
            with place:
                feedback.show_problem(_enter_code(waiting, code))
        st.caption("Lost your app? Enter a recovery code instead. It switches two-step sign-in off.")
        if st.button("Back", icon=":material/arrow_back:", key="sign_in_back"):
            st.session_state.pop(_WAITING, None)
            st.rerun()


def _enter_code(waiting: CodeNeeded, code: str) -> str | None:
    """Finish the sign-in, and go on; return what is wrong with the code."""
    if not code.strip():
        return "Please enter the six digits that your app shows now."
    services = session.services()
    try:
        attempts.count()
        me, recovered = second_factor.enter(services.accounts, services.clients, waiting, code)
    except SignedOutError:
        st.session_state.pop(_WAITING, None)
        return "This took too long. Please go back, and sign in again."
    except DatabaseError as error:
        return str(error)
    if recovered:
        feedback.toast(
            "Two-step sign-in is off now, and your other devices are signed out.",
            ":material/lock_open:",
            until_closed=True,
        )
    _go_on(me)
    return None


def _demo_people(people: Sequence[DemoPerson]) -> None:
    st.divider()
    st.caption("This is a local demo. Look around as one of its people:")
    with st.container(horizontal=True):
        for person in people:
            if st.button(f"{person.name}, {person.role}", key=f"demo_{person.name}"):
                _sign_in(person.email, demo.PASSWORD)


if __name__ == "__main__":
    run_whole_app()
