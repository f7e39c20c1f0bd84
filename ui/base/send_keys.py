"""The keys that send what one writes: the same wherever people write to each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.base import html

_HINT: Final = html.Template(
    '<p class="tv-hint"><kbd>Enter</kbd> sends, <kbd>Shift</kbd>+<kbd>Enter</kbd> starts a new line</p>'
)()


@cache
def _component() -> ComponentRenderer:
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_send_keys", js=script)


def send_keys(block: str) -> None:
    """Let Enter and Ctrl+Enter send from the text areas in the container with this key, and say so."""
    html.show(_HINT)
    _component()(key=f"{block}_keys", data={"block": block})
