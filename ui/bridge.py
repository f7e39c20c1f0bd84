"""Buttons inside a block of HTML that is rendered once for everybody.

A row of real widgets for each of fifty messages would cost every session far more than the one block that
shows them (docs/architecture.md has the figures). So the block holds plain buttons, and one small component
for each session reports the clicks and marks what belongs to the viewer. `bridge.js` has the other half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.session import my_id


@dataclass(frozen=True, slots=True)
class Click:
    """A button was pressed: its `data-action`, and the `data-row` it stands in."""

    action: str
    row: str


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("tavern_bridge", js=(Path(__file__).parent / "bridge.js").read_text())


def clicks(
    block: str,
    *,
    marks: Mapping[str, Sequence[str]] | None = None,
    everywhere: Sequence[str] = (),
) -> Click | None:
    """Return the click that caused this run, if one did, and mark the rows of the block.

    `block` is the key of the container that holds the HTML; `marks` names the marks of single rows,
    `everywhere` those of all. Call it in a fragment of the session's own, after the block.
    """
    key = f"{block}_bridge"
    result = _component()(
        key=key,
        data={"block": block, "me": my_id(), "marks": dict(marks or {}), "everywhere": list(everywhere)},
        on_action_change=_ignore,
    )
    return _new_click(key, result.get("action"))


def _ignore() -> None:
    """Do nothing: the value itself is read in the run that it causes."""


def _new_click(key: str, value: object) -> Click | None:
    if not isinstance(value, Mapping):
        return None
    # A run that something else caused may still see the last click.
    seen, nonce = f"{key}_seen", value.get("nonce")
    if st.session_state.get(seen) == nonce:
        return None
    st.session_state[seen] = nonce
    action, row = value.get("action"), value.get("row")
    return Click(action, row) if isinstance(action, str) and isinstance(row, str) else None
