"""The choice of a picture: a file, and a square part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import streamlit as st
from PIL import Image

from ui.base import crop, feedback, image, uploads
from ui.base.image import PictureError


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A file that the person has chosen, opened, or why it could not be."""

    file_id: str
    opened: Image.Image | None = None
    preview: bytes = b""
    problem: str = ""


class PictureField:
    """A field for pictures of one kind. `name` begins the keys of its widgets; a page has one such field."""

    def __init__(self, name: str, *, side: int, limit: int, is_round: bool = False) -> None:
        """Name the field, and say how many pixels a side its pictures get, and how many bytes at most."""
        self._name: Final = name
        self._side: Final = side
        self._limit: Final = limit
        self._is_round: Final = is_round
        self._number: Final = f"{name}_number"
        self._chosen: Final = f"{name}_chosen"

    def forget(self) -> None:
        """Forget what was chosen on an earlier visit of the page."""
        st.session_state.pop(self._chosen, None)

    def empty(self) -> None:
        """Empty the field."""
        st.session_state[self._number] = int(st.session_state.get(self._number, 0)) + 1
        self.forget()

    def show(self, *, busy: bool) -> bytes | None:
        """Show the field; return the file as others will see it in the run in which the person uses it."""
        uploads.permit()
        number = int(st.session_state.get(self._number, 0))
        file = st.file_uploader(
            "Upload a picture", type=list(image.TYPES), key=f"{self._name}_file_{number}",
            max_upload_size=image.MEGABYTES,
            help="What a photo tells about its place, time and camera is not kept.",
        )  # fmt: skip
        if file is None:
            self.forget()
            return None
        chosen = cast("_Chosen | None", st.session_state.get(self._chosen))
        if chosen is None or chosen.file_id != file.file_id:
            chosen = st.session_state[self._chosen] = _open(file.file_id, file.getvalue())
        if chosen.opened is None:
            feedback.show_problem(chosen.problem)
            return None
        part = crop.choose_part(chosen.file_id, chosen.preview, chosen.opened.size, is_round=self._is_round)
        with st.container(horizontal=True):
            use = st.button("Use this picture", type="primary", key=f"{self._name}_use", disabled=busy)
            st.button("Discard", key=f"{self._name}_discard", disabled=busy, on_click=self.empty)
        return image.square(chosen.opened, part, self._side, self._limit) if use and not busy else None


def _open(file_id: str, content: bytes) -> _Chosen:
    try:
        opened = image.opened(content)
    except PictureError as error:
        return _Chosen(file_id, problem=str(error))
    return _Chosen(file_id, opened, image.preview(opened))
