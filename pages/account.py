"""Accounts: signing in, making one, and one's own profile."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from db import users
from db.auth import ConfirmationNeeded, SignedIn
from db.errors import DatabaseError
from ui import identity, layout, session, writing
from ui.people import avatar_html, name_of
from ui.sidebar import Place, page
from ui.text import as_label, one_line

_DEMO = (
    ("ada@tavern.example", "Ada", "admin"),
    ("bo@tavern.example", "Bo", "organizer"),
    ("cy@tavern.example", "Cy", "member"),
)
_DEMO_PASSWORD = "tavern-demo"  # noqa: S105 - public on purpose: it only exists on the embedded stack
_SHORTEST_PASSWORD = 6
_AVATARS = ("🦊", "🦉", "🐻", "🐸", "🦁", "🐙", "🌻", "🍄", "⚓", "🎻", "🧭", "🔥")


def show_sign_in() -> None:
    layout.page_head("Welcome back", "Take your usual seat.")
    if _already_in():
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
    st.switch_page(page(Place.TAVERN))


def _demo_people() -> None:
    st.divider()
    st.caption("This is a local demo. Look around as one of its people:")
    with st.container(horizontal=True):
        for email, name, role in _DEMO:
            if st.button(f"{name}, {role}", key=f"demo_{name}"):
                _sign_in(email, _DEMO_PASSWORD)


def show_create_account() -> None:
    layout.page_head("Join the Tavern", "Pull up a chair. It takes a minute.")
    if _already_in():
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
    st.switch_page(page(Place.TAVERN))


def _problem(name: str, email: str, password: str) -> str | None:
    if not name:
        return "Please choose the name that others will see."
    if "@" not in email:
        return "Please enter your e-mail address."
    if len(password) < _SHORTEST_PASSWORD:
        return f"Please choose a password of at least {_SHORTEST_PASSWORD} characters."
    return None


def _already_in() -> bool:
    if session.signed_in() is None:
        return False
    st.info(f"You are signed in as {as_label(name_of(session.my_profile()))}.")
    st.page_link(page(Place.TAVERN), label="Go to the common room")
    return True


# ---------------------------------------------------------------- one's own profile


def show_profile() -> None:
    layout.page_head("Your profile", "This is what others see of you.")
    if session.signed_in() is None:
        st.info("Sign in to see your profile.")
        st.page_link(page(Place.SIGN_IN), label="Sign in", icon=":material/login:")
        return
    _profile_form()


@st.fragment(key="profile_form")
def _profile_form() -> None:
    profile = session.my_profile()
    if profile is None:
        st.info("Your profile is being set up.")
        return
    st.html(avatar_html(profile, "large"))
    with st.form("profile", border=True):
        name = st.text_input("Display name", profile.display_name, max_chars=60, key="profile_name")
        bio = st.text_area("About you", profile.bio, max_chars=500, key="profile_bio", height=120)
        avatar = st.text_input(
            "Avatar",
            profile.avatar or "",
            max_chars=300,
            key="profile_avatar",
            placeholder="An emoji, or the https address of a picture",
            help="For example " + " ".join(_AVATARS),
        )
        saved = st.form_submit_button("Save profile", type="primary")
    if not saved:
        return
    if not one_line(name):
        st.warning("Please choose the name that others will see.")
        return
    values = {"display_name": one_line(name), "bio": bio.strip(), "avatar": avatar.strip() or None}
    result = writing.write("users", lambda me: users.change(me, me.user_id, values, version=profile.version))
    if isinstance(result, DatabaseError):
        writing.complain(result)
        return
    writing.say("Your profile is saved.")
