"""How far the clock of the browser is off: a small component reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

UNCERTAINTY = timedelta(seconds=0.5)
"""The time that the answer may take from the browser to the script."""

_KEY = "browser_clock"
_AHEAD = "browser_clock_ahead"


@cache
def _component() -> ComponentRenderer:
    script = (Path(__file__).parent / "browser_clock.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_browser_clock", js=script)


def ahead(request: str) -> timedelta | None:
    """Return how far the browser's clock is ahead of this server's.

    It is None until the browser has answered this `request`, a text that differs for each request. The answer
    causes another run of the calling fragment.
    """
    _component()(key=_KEY, data={"request": request}, on_clock_change=_on_answer)
    answer = st.session_state.get(_AHEAD)
    return answer[1] if answer is not None and answer[0] == request else None


def _on_answer() -> None:
    # The difference is taken here, in the callback: the script may run later.
    answer = st.session_state[_KEY].get("clock")
    if not isinstance(answer, Mapping):
        return
    now = answer.get("now")
    if isinstance(now, int | float):
        difference = timedelta(milliseconds=now) - (datetime.now(UTC) - datetime.fromtimestamp(0, UTC))
        st.session_state[_AHEAD] = (answer.get("request"), difference)
