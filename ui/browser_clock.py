"""What time it is in the browser: only the browser knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

UNCERTAIN = timedelta(seconds=0.5)
"""What the way from the browser to the script may take."""

_KEY = "browser_clock"
_AHEAD = "browser_clock_ahead"


@cache
def _component() -> ComponentRenderer:
    script = (Path(__file__).parent / "browser_clock.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_browser_clock", js=script)


def ahead(ask: str) -> timedelta | None:
    """Return how far the browser's clock is ahead of this server's; None until it has answered this `ask`.

    The answer causes another run of the fragment this is called in.
    """
    _component()(key=_KEY, data={"ask": ask}, on_clock_change=_heard)
    heard = st.session_state.get(_AHEAD)
    return heard[1] if heard is not None and heard[0] == ask else None


def _heard() -> None:
    told = st.session_state[_KEY].get("clock")
    if not isinstance(told, Mapping):
        return
    now = told.get("now")
    if isinstance(now, int | float):
        difference = timedelta(milliseconds=now) - (datetime.now(UTC) - datetime.fromtimestamp(0, UTC))
        st.session_state[_AHEAD] = (told.get("ask"), difference)
