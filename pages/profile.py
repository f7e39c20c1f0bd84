"""One's own profile."""

from __future__ import annotations

import streamlit as st

from db import users
from db.errors import DatabaseError
from ui import layout, session, writing
from ui.first_run import run_whole_app
from ui.people import avatar_html
from ui.sidebar import Place, page
from ui.text import one_line

_AVATARS = ("🦊", "🦉", "🐻", "🐸", "🦁", "🐙", "🌻", "🍄", "⚓", "🎻", "🧭", "🔥")


def show() -> None:
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


if __name__ == "__main__":
    run_whole_app()
