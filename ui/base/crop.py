"""The choice of a square part of a picture, by dragging, with the keyboard or with a slider."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.base.image import Crop

_HTML: Final = (
    '<div class="frame" tabindex="0" role="group" aria-label="The part that others see: drag the picture, '
    'or move it with the arrow keys"><img alt="" draggable="false"></div>'
    '<label>Zoom <input type="range" min="1" step="0.05"></label>'
)


@cache
def _component() -> ComponentRenderer:
    script, style = (
        Path(__file__).with_suffix(ending).read_text(encoding="utf-8") for ending in (".js", ".css")
    )
    return st.components.v2.component("tavern_crop", html=_HTML, js=script, css=style)


def choose_part(picture_id: str, preview: bytes, size: tuple[int, int], *, is_round: bool) -> Crop:
    """Show a picture and let the person choose a part; return what is chosen now.

    Arguments:
        picture_id: tells pictures apart.
        preview: the picture as a WebP file.
        size: its width and height.
        is_round: whether others see the circle in the part, as they see people.
    """
    address = f"data:image/webp;base64,{base64.b64encode(preview).decode()}"
    data = {"id": picture_id, "picture": address, "width": size[0], "height": size[1], "round": is_round}
    result = _component()(key="picture_crop", data=data, on_crop_change=_rerun_only)
    return read_crop(result.get("crop"), picture_id)


def read_crop(value: object, picture_id: str) -> Crop:
    """Read what the browser says; the middle of the picture if it speaks of another one, or of nothing."""
    if not isinstance(value, Mapping) or value.get("picture") != picture_id:
        return Crop()
    numbers = [value.get(name) for name in ("x", "y", "share")]
    if not all(isinstance(number, int | float) and 0 <= number <= 1 for number in numbers):
        return Crop()
    x, y, share = (float(str(number)) for number in numbers)
    return Crop(x, y, share)


def _rerun_only() -> None:
    """Do nothing: the run that follows reads the result."""
