"""Moving the keyboard focus to where the work goes on, when what had it disappears."""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer


@cache
def _component() -> ComponentRenderer:
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_focus", js=script)


def move(place: str, selector: str) -> None:
    """Let the next run of `follow_moves` with this place move the focus to what matches a CSS selector."""
    st.session_state[f"{_key(place)}_to"] = {"target": selector, "turn": uuid.uuid4().hex}


def follow_moves(place: str) -> None:
    """Move the focus if `move` was called. Call it in the fragment that shows the target."""
    # Only once: who comes back to the page later has their focus elsewhere.
    _component()(key=_key(place), data=st.session_state.pop(f"{_key(place)}_to", {"target": "", "turn": ""}))


def _key(place: str) -> str:
    return f"{place}_focus"
