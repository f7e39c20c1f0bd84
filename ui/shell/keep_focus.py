"""The keyboard focus stays where the work goes on, whatever disappears from the page (`keep_focus.js`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer


@cache
def _component() -> ComponentRenderer:
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_keep_focus", js=script)


def show() -> None:
    """Keep the focus. Call it on every page."""
    _component()(key="tavern_keep_watch", data={})
