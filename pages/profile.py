"""One's own profile."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from db import users
from db.auth import SignedIn
from db.merge import changed
from db.models import Record, User
from db.rows import Values
from live.fragments import live_fragment
from ui import identity, layout, session, writing
from ui.account import invite
from ui.conflicts import Clash, Editing, Saving, change_told, choose, save, save_decided
from ui.first_run import run_whole_app
from ui.pending import WRITES, Expected, with_values
from ui.people import avatar_html
from ui.sidebar import Place
from ui.text import as_label, one_line

_SAVING = Saving("profile")
_BASE = "profile_base"
_LABELS: Mapping[str, str] = {"display_name": "Display name", "bio": "About you", "avatar": "Avatar"}
_AVATARS = ("🦊", "🦉", "🐻", "🐸", "🦁", "🐙", "🌻", "🍄", "⚓", "🎻", "🧭", "🔥")


def show() -> None:
    layout.page_head("Your profile", "This is what others see of you.")
    if session.signed_in() is None:
        invite(Place.PROFILE, "🪪", "Sign in to see your profile", "It is what others see of you.")
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


def _editing(profile: User) -> Editing:
    def expect(values: Values) -> Expected:
        return Expected(users.TABLE, (profile.id,), with_values(profile, values))

    return Editing(users.TABLE, (profile.id,), _values_of, _write, expect, _LABELS)


@live_fragment(tables=(WRITES,), varies_by=("user",), key="profile_form")
def _profile_form() -> None:
    profile = session.my_profile()
    if profile is None:
        st.info("Your profile is being set up.")
        return
    if _SAVING.saved:
        writing.say("Your profile is saved.")
        _SAVING.forget()
        st.rerun()
    clash = _SAVING.clash
    if clash is not None:
        _decide(profile, clash)
        return
    # What the form began with, whatever happens to the profile meanwhile.
    base: User = st.session_state.setdefault(_BASE, profile)
    _news(base)
    busy = _SAVING.busy
    with st.form("profile", border=True):
        st.html(avatar_html(profile, "large"))
        name = st.text_input(
            "Display name",
            base.display_name,
            max_chars=60,
            key=f"profile_name_{base.version}",
        )
        bio = st.text_area(
            "About you",
            base.bio,
            max_chars=500,
            key=f"profile_bio_{base.version}",
            height=120,
        )
        avatar = st.text_input(
            "Avatar",
            base.avatar or "",
            max_chars=300,
            key=f"profile_avatar_{base.version}",
            placeholder="An emoji, or the https address of a picture",
            help="For example " + " ".join(_AVATARS),
        )
        saved = st.form_submit_button("Save profile", type="primary", disabled=busy)
        _SAVING.mark()
    if saved:
        _save(base, name, bio, avatar)
    _SAVING.show()


def _save(base: User, name: str, bio: str, avatar: str) -> None:
    if not one_line(name):
        _SAVING.forget()
        st.warning("Please choose the name that others will see.")
        return
    mine = {"display_name": one_line(name), "bio": bio.strip(), "avatar": avatar.strip() or None}
    _SAVING.begin(save(_editing(session.my_profile() or base), _values(base), mine, base.version))
    st.rerun(scope="fragment")


@live_fragment(tables=("users",), varies_by=("user",), key="profile_news")
def _news(base: User) -> None:
    """Tell what happens to the profile while its form is open: in another tab, for example."""
    now = session.my_profile()
    if now is None or now.version == base.version:
        return
    fields = changed(_values(base), _values(now))
    if fields:
        told = change_told({**_LABELS, "bio": "Text about you"}, fields, now.updated_by, now.updated_at)
        st.info(as_label(told), icon=":material/edit_note:")


def _decide(profile: User, clash: Clash) -> None:
    editing = _editing(profile)
    choices = choose(editing, clash, "profile_choice")
    _SAVING.mark()
    if st.button("Save", type="primary", disabled=_SAVING.busy):
        _SAVING.begin(save_decided(editing, clash, choices), clash)
        st.rerun(scope="fragment")
    _SAVING.show()


def _begin_anew() -> None:
    _SAVING.forget()
    st.session_state.pop(_BASE, None)


def _sign_out_here() -> None:
    st.divider()
    st.caption("“Sign out” in the menu signs you out everywhere.")
    st.button("Leave only this browser", type="tertiary", on_click=identity.sign_out_here)


if __name__ == "__main__":
    run_whole_app()
