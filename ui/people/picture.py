"""One's own picture: choosing a file and a part of it, and going back to the emoji."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final, cast

import streamlit as st
from PIL import Image

from db.auth.accounts import SignedIn
from db.columns import Record
from db.hub import pictures, users
from db.hub.models import User
from livetables.faults import FAULTS
from livetables.fragments import live_fragment
from ui.base import feedback, html, session, uploads
from ui.base.html import Template
from ui.base.people import avatar_html
from ui.base.write_queue import WRITES, Expected, Mode, State, Write, with_values
from ui.people import crop, image
from ui.people.image import PictureError
from ui.writes.submit import applying, submit, submit_row

_FIELD: Final = "picture_file"
_NUMBER: Final = "picture_number"
_CHOSEN: Final = "picture_chosen"
_WRITE: Final = "picture_write"

_HEAD: Final = Template('<div class="tv-picture">{avatar}<div><h2>Picture</h2><p>{words}</p></div></div>')


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A file that the person has chosen, opened, or why it could not be."""

    file_id: str
    opened: Image.Image | None = None
    preview: bytes = b""
    problem: str = ""


def reset() -> None:
    """Forget what an earlier visit of the page left."""
    st.session_state.pop(_CHOSEN, None)
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
    _choose(busy=busy)
    if profile.picture:
        st.button(
            "Remove picture", icon=":material/delete:", key="picture_remove", disabled=busy,
            on_click=_remove, args=(profile,),
        )  # fmt: skip
    if write is not None:
        feedback.show_error(write.error)


def _choose(*, busy: bool) -> None:
    uploads.permit()
    number = int(st.session_state.get(_NUMBER, 0))
    file = st.file_uploader(
        "Upload a picture", type=list(image.TYPES), key=f"{_FIELD}_{number}", max_upload_size=image.MEGABYTES,
        help="What a photo tells about its place, time and camera is not kept.",
    )  # fmt: skip
    if file is None:
        st.session_state.pop(_CHOSEN, None)
        return
    chosen = cast("_Chosen | None", st.session_state.get(_CHOSEN))
    if chosen is None or chosen.file_id != file.file_id:
        chosen = st.session_state[_CHOSEN] = _open(file.file_id, file.getvalue())
    if chosen.opened is None:
        feedback.show_problem(chosen.problem)
        return
    part = crop.choose_part(chosen.file_id, chosen.preview, chosen.opened.size)
    with st.container(horizontal=True):
        use = st.button("Use this picture", type="primary", key="picture_use", disabled=busy)
        st.button("Discard", key="picture_discard", disabled=busy, on_click=_empty_field)
    if use and not busy:
        _send(image.square(chosen.opened, part))


def _open(file_id: str, content: bytes) -> _Chosen:
    try:
        opened = image.opened(content)
    except PictureError as error:
        return _Chosen(file_id, problem=str(error))
    return _Chosen(file_id, opened, image.preview(opened))


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
        _empty_field()


def _empty_field() -> None:
    st.session_state[_NUMBER] = int(st.session_state.get(_NUMBER, 0)) + 1
    st.session_state.pop(_CHOSEN, None)
