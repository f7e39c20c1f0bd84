"""The moment between the choice of a conversation and its arrival in the browser."""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer


@cache
def _component() -> ComponentRenderer:
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_opening", js=script)


def bridge(block: str, pane: str) -> None:
    """Mark a chosen row of `block` at once, and let nobody write in `pane` until it is that of the row.

    Both are keys of containers. Call it in the full run, after all that the pane shows.
    """
    _component()(key=f"{block}_marks", data={"block": block, "pane": pane, "run": uuid.uuid4().hex})
