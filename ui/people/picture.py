"""One's own picture: choosing a file and a part of it, and going back to the emoji."""

from __future__ import annotations

import uuid
from typing import Final, cast

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.hub import pictures, users
from db.hub.models import User
from livetables.faults import FAULTS
from livetables.fragments import live_fragment
from ui.base import feedback, html, session
from ui.base.html import Template
from ui.base.people import avatar_html
from ui.base.picture_field import PictureField
from ui.base.write_queue import WRITES, Expected, Mode, State, Write, with_values
from ui.writes.submit import applying, submit, submit_row

_FIELD: Final = PictureField("picture", side=pictures.SIDE, limit=pictures.LIMIT, is_round=True)
_WRITE: Final = "picture_write"

_HEAD: Final = Template('<div class="tv-picture">{avatar}<div><h2>Picture</h2><p>{words}</p></div></div>')


def reset() -> None:
    """Forget what an earlier visit of the page left."""
    _FIELD.forget()
    write = _write()
    if write is not None and write.error is not None:
        st.session_state.pop(_WRITE)


@live_fragment(tables=("users", WRITES), varies_by=("user",), key="profile_picture")
def show() -> None:
    """Show one's picture, and what changes it."""
    profile = session.my_profile()
    if profile is None:
        return
    _settle()
    words = "Others see this beside your name."
    if profile.picture:
        words += " Without a picture, they see your emoji."
    html.show(_HEAD(avatar=avatar_html(profile, "large"), words=words))
    write = _write()
    busy = write is not None and not write.done
    content = _FIELD.show(busy=busy)
    if profile.picture:
        st.button(
            "Remove picture", icon=":material/delete:", key="picture_remove", disabled=busy,
            on_click=_remove, args=(profile,),
        )  # fmt: skip
    if write is not None:
        feedback.show_error(write.error)
    if content is not None:
        _send(content)


def _send(content: bytes) -> None:
    picture = str(uuid.uuid4())

    def send(me: SignedIn) -> Record:
        pictures.add(me, picture, content)
        return _chosen_from_now_on(me, picture)

    st.session_state[_WRITE] = submit(
        applying(users.TABLE, send), mode=Mode.CONCURRENT, success_message="Your picture is changed."
    )
    st.rerun(scope="fragment")


def _remove(profile: User) -> None:
    st.session_state[_WRITE] = submit_row(
        users.TABLE,
        lambda me: _chosen_from_now_on(me, None),
        Expected(users.TABLE, (profile.id,), with_values(profile, {"picture": None})),
        success_message="Your picture is removed.",
    )


def _chosen_from_now_on(me: SignedIn, picture: str | None) -> Record:
    record, before = pictures.choose(me, picture)
    # It is chosen, whatever goes wrong with the old one, which the next change deletes.
    with FAULTS.contained("pictures"):
        pictures.tidy(me, picture, before)
    return record


def _write() -> Write | None:
    return cast("Write | None", st.session_state.get(_WRITE))


def _settle() -> None:
    """Empty the field once its picture is shown."""
    write = _write()
    if write is not None and write.state is State.DONE:
        st.session_state.pop(_WRITE)
        _FIELD.empty()
