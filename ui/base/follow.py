"""A block that scrolls and grows at its end, such as a chat: what its reader sees of it.

The script (`follow.js`) keeps the reader's place, marks what arrives out of sight, and reports what a visible
page has shown. Only the browser knows that: what the server has sent may never have arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.base.session import my_id
from ui.base.tab import own_key


@cache
def _component() -> ComponentRenderer:
    script = (Path(__file__).with_suffix(".js")).read_text(encoding="utf-8")
    return st.components.v2.component("tavern_follow", js=script)


def follow(block: str, label: str = "", goal: str | None = None) -> tuple[str, ...]:
    """Follow a block; return the ids of its rows marked `data-unseen` that a visible page has shown by now.

    With a label, the block is a log of that name to screen readers. The row `goal` is brought into sight.
    Each row is returned once. Call it in a plain fragment of its own where the answer matters.
    """
    key = own_key(f"{block}_watch")
    data = {"block": block, "me": my_id(), "label": label, "goal": goal or ""}
    result = _component()(key=key, data=data, on_shown_change=_rerun_only)
    return _new_rows(f"{key}_seen", result.get("shown"))


def _new_rows(seen: str, value: object) -> tuple[str, ...]:
    """Return the rows of a report, or none if it is the one that `seen` in the session's state names."""
    if not isinstance(value, Mapping):
        return ()
    # The last report is still there in later runs, which something else has caused.
    nonce, rows = value.get("nonce"), value.get("rows")
    if st.session_state.get(seen) == nonce or not isinstance(rows, list | tuple):
        return ()
    st.session_state[seen] = nonce
    return tuple(row for row in rows if isinstance(row, str))


def _rerun_only() -> None:
    """Do nothing: the run that follows reads the result."""
