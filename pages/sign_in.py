"""Signing in."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from db.auth import SignedIn
from db.errors import DatabaseError
from ui import identity, layout, session, writing
from ui.account import already_in, next_place
from ui.first_run import run_whole_app
from ui.sidebar import Place, page

_DEMO = (
    ("ada@tavern.example", "Ada", "admin"),
    ("bo@tavern.example", "Bo", "organizer"),
    ("cy@tavern.example", "Cy", "member"),
)
_DEMO_PASSWORD = "tavern-demo"  # noqa: S105 - public on purpose: it only exists on the embedded stack


def show() -> None:
    layout.page_head("Welcome back", "Take your usual seat.")
    if already_in():
        return
    with st.container(key="account"):
        with st.form("sign_in", border=True):
            email = st.text_input("Email", key="sign_in_email", autocomplete="email")
            password = st.text_input(
                "Password", type="password", key="sign_in_password", autocomplete="current-password"
            )
            sent = st.form_submit_button("Sign in", type="primary", width="stretch")
        if sent:
            _sign_in(email, password)
        st.page_link(page(Place.CREATE_ACCOUNT), label="New here? Make an account")
        if session.services().embedded:
            _demo_people()


def _sign_in(email: str, password: str) -> None:
    if not email.strip() or not password:
        st.warning("Please enter your e-mail and your password.")
        return
    _enter(lambda: session.services().accounts.sign_in(email, password))


def _enter(sign_in: Callable[[], SignedIn]) -> None:
    try:
        me = sign_in()
    except DatabaseError as error:
        writing.complain(error)
        return
    identity.enter(me)
    st.switch_page(page(next_place()))


def _demo_people() -> None:
    st.divider()
    st.caption("This is a local demo. Look around as one of its people:")
    with st.container(horizontal=True):
        for email, name, role in _DEMO:
            if st.button(f"{name}, {role}", key=f"demo_{name}"):
                _sign_in(email, _DEMO_PASSWORD)


if __name__ == "__main__":
    run_whole_app()
