"""One's own profile."""

from __future__ import annotations

import streamlit as st

from db import users
from db.auth import SignedIn
from db.errors import DatabaseError
from db.merge import changed
from db.models import Record, User
from db.rows import Values
from live.fragments import live_fragment
from ui import identity, layout, session, writing
from ui.conflicts import Clash, Editing, change_told, choose, save, save_decided
from ui.first_run import run_whole_app
from ui.people import avatar_html
from ui.sidebar import Place, page
from ui.text import as_label, one_line

_CLASH = "profile_clash"
_BASE = "profile_base"
_AVATARS = ("🦊", "🦉", "🐻", "🐸", "🦁", "🐙", "🌻", "🍄", "⚓", "🎻", "🧭", "🔥")


def show() -> None:
    layout.page_head("Your profile", "This is what others see of you.")
    if session.signed_in() is None:
        st.info("Sign in to see your profile.")
        st.page_link(page(Place.SIGN_IN), label="Sign in", icon=":material/login:")
        return
    _begin_anew()
    _profile_form()
    _sign_out_here()


def _write(me: SignedIn, values: Values, version: int) -> Record:
    return users.change(me, me.user_id, values, version=version)


def _values_of(record: Record) -> Values:
    return _values(User.from_record(record))


def _values(user: User) -> Values:
    return {"display_name": user.display_name, "bio": user.bio, "avatar": user.avatar or None}


_EDITING = Editing(
    "users", _values_of, _write, {"display_name": "Display name", "bio": "About you", "avatar": "Avatar"}
)


@st.fragment(key="profile_form")
def _profile_form() -> None:
    profile = session.my_profile()
    if profile is None:
        st.info("Your profile is being set up.")
        return
    clash: Clash | None = st.session_state.get(_CLASH)
    if clash is not None:
        _decide(clash)
        return
    # What the form began with, whatever happens to the profile meanwhile.
    base: User = st.session_state.setdefault(_BASE, profile)
    _news(base)
    with st.form("profile", border=True):
        st.html(avatar_html(profile, "large"))
        name = st.text_input(
            "Display name", base.display_name, max_chars=60, key=f"profile_name_{base.version}"
        )
        bio = st.text_area(
            "About you", base.bio, max_chars=500, key=f"profile_bio_{base.version}", height=120
        )
        avatar = st.text_input(
            "Avatar",
            base.avatar or "",
            max_chars=300,
            key=f"profile_avatar_{base.version}",
            placeholder="An emoji, or the https address of a picture",
            help="For example " + " ".join(_AVATARS),
        )
        saved = st.form_submit_button("Save profile", type="primary")
    if not saved:
        return
    if not one_line(name):
        st.warning("Please choose the name that others will see.")
        return
    mine = {"display_name": one_line(name), "bio": bio.strip(), "avatar": avatar.strip() or None}
    _settle(save(_EDITING, _values(base), mine, base.version))


@live_fragment(tables=("users",), varies_by=("user",), key="profile_news")
def _news(base: User) -> None:
    """Tell what happens to the profile while its form is open: in another tab, for example."""
    now = session.my_profile()
    fields = changed(_values(base), _values(now)) if now is not None else {}
    if now is not None and fields:
        told = change_told(
            {**_EDITING.labels, "bio": "Text about you"}, fields, now.updated_by, now.updated_at
        )
        st.info(as_label(told), icon=":material/edit_note:")


def _decide(clash: Clash) -> None:
    choices = choose(_EDITING, clash, "profile_choice")
    if st.button("Save", type="primary"):
        _settle(save_decided(_EDITING, clash, choices))


def _settle(result: Clash | DatabaseError | None) -> None:
    if isinstance(result, Clash):
        st.session_state[_CLASH] = result
        st.rerun(scope="fragment")
    if isinstance(result, DatabaseError):
        writing.complain(result)
        return
    writing.say("Your profile is saved.")
    st.rerun()


def _begin_anew() -> None:
    for key in (_CLASH, _BASE):
        st.session_state.pop(key, None)


def _sign_out_here() -> None:
    st.divider()
    st.caption("“Sign out” in the menu signs you out everywhere.")
    st.button("Leave only this browser", type="tertiary", on_click=identity.sign_out_here)


if __name__ == "__main__":
    run_whole_app()
