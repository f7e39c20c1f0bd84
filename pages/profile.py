"""The page to edit one's own profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.hub import users
from db.hub.models import User
from db.rows import Values
from livetables.fragments import live_fragment
from livetables.merging import changed
from ui.base import drafts, feedback, layout, session
from ui.base.text import as_label, one_line
from ui.base.write_queue import WRITES, Expected, with_values
from ui.people import devices, emoji, picture, two_step
from ui.shell import identity
from ui.shell.account import invite
from ui.shell.run_app import run_whole_app
from ui.writes.conflict import (
    Clash,
    Edit,
    Editing,
    PartlySaved,
    choose,
    describe_change,
    save,
    save_decided,
)
from ui.writes.saving import Saving

_SAVING = Saving("profile")
_BASE = "profile_base"
_FORM = "profile_form_number"
_MINE = "profile_mine"
_PROBLEMS = "profile_problems"
_LABELS: Mapping[str, str] = {"display_name": "Display name", "bio": "About you", "avatar": "Avatar"}


def show() -> None:
    layout.page_head("Your profile", "This is what others see of you.")
    if session.signed_in() is None:
        invite("🪪", "Sign in to see your profile", "It is what others see of you.")
        return
    _reset()
    picture.show()
    _profile_form()
    two_step.show()
    devices.show()
    _sign_out()


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
        _take_answer(profile)
    clash = _SAVING.clash
    if clash is not None:
        _decide(profile, clash)
        return
    # The form keeps its base, even when the profile changes meanwhile: an edit is merged from there.
    base: User = st.session_state.setdefault(_BASE, profile)
    _changes_since(base)
    number = st.session_state.setdefault(_FORM, base.version)
    key = drafts.shown(drafts.PROFILE, f"profile_{number}").key
    row = {"_name": base.display_name, "_bio": base.bio, "_avatar": base.avatar or ""}
    drafts.keep(drafts.PROFILE, key, row=row, note=True)
    with st.form("profile", border=True):
        mine = _fields(base, key)
        saved = st.form_submit_button("Save profile", type="primary", disabled=_SAVING.busy)
        _SAVING.mark()
    if saved:
        _save(base, mine)
    _SAVING.show()


def _fields(base: User, key: str) -> Values:
    """Show the fields, each with its problem; return what is in them."""
    problems: Mapping[str, str] = st.session_state.get(_PROBLEMS, {})
    name = st.text_input("Display name", base.display_name, max_chars=60, key=f"{key}_name")
    feedback.show_problem(problems.get("display_name"))
    bio = st.text_area("About you", base.bio, max_chars=500, key=f"{key}_bio", height=120)
    feedback.show_problem(problems.get("bio"))
    avatar = st.text_input(
        "Avatar",
        base.avatar or "",
        max_chars=16,
        key=f"{key}_avatar",
        placeholder="Any emoji, or choose one below",
    )
    feedback.show_problem(problems.get("avatar"))
    emoji.grid(f"{key}_avatar")
    return {"display_name": one_line(name), "bio": bio.strip(), "avatar": avatar.strip() or None}


def _save(base: User, mine: Values) -> None:
    problems: dict[str, str] = {}
    if not mine["display_name"]:
        problems["display_name"] = "Please choose the name that others will see."
        mine = {**mine, "display_name": base.display_name}
    st.session_state[_PROBLEMS] = problems
    st.session_state[_MINE] = mine
    edit = Edit(base=_values(base), mine=mine, version=base.version)
    _SAVING.begin(save(_editing(session.my_profile() or base), edit, each_field_alone=True))
    st.rerun(scope="fragment")


def _take_answer(profile: User) -> None:
    """Begin anew with what is saved. If a field was refused, keep the form, and mark it there."""
    result = _SAVING.result
    problems = dict(st.session_state.get(_PROBLEMS, {}))
    if isinstance(result, PartlySaved):
        problems |= result.refused
    _SAVING.forget()
    if not problems:
        feedback.toast("Your profile is saved.")
        drafts.forget(drafts.PROFILE)
        st.rerun()
    base: User = st.session_state[_BASE]
    # The next edit starts from what the fields show, so that it changes nothing else: what somebody else has
    # changed meanwhile is not in them.
    shown = {name: value for name, value in st.session_state[_MINE].items() if name not in problems}
    if shown != {name: value for name, value in _values(base).items() if name in shown}:
        feedback.toast("Everything else is saved.")
    st.session_state[_PROBLEMS] = problems
    st.session_state[_BASE] = replace(with_values(base, shown), version=profile.version)


@live_fragment(tables=("users",), varies_by=("user",), key="profile_changes")
def _changes_since(base: User) -> None:
    """Show what has changed while the form is open, in another tab for example."""
    now = session.my_profile()
    if now is None or now.version == base.version:
        return
    fields = changed(_values(base), _values(now))
    if fields:
        change = describe_change({**_LABELS, "bio": "Text about you"}, fields, now.updated_by, now.updated_at)
        st.info(as_label(change), icon=":material/edit_note:")


def _decide(profile: User, clash: Clash) -> None:
    editing = _editing(profile)
    choices = choose(editing, clash, "profile_choice")
    _SAVING.mark()
    if st.button("Save", type="primary", disabled=_SAVING.busy):
        _SAVING.begin(save_decided(editing, clash, choices), clash)
        st.rerun(scope="fragment")
    _SAVING.show()


def _reset() -> None:
    _SAVING.forget()
    picture.reset()
    for key in (_BASE, _FORM, _MINE, _PROBLEMS):
        st.session_state.pop(key, None)


def _sign_out() -> None:
    st.header("Sign out", anchor=False)
    with st.container(horizontal=True):
        st.button("Sign out on this device", icon=":material/logout:", on_click=identity.sign_out_here)
        st.button("Sign out everywhere", icon=":material/devices:", on_click=identity.sign_out)
    st.caption("The first leaves your other browsers signed in. “Sign out” in your menu is everywhere.")


if __name__ == "__main__":
    run_whole_app()
