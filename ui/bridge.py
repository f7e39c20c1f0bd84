"""Buttons inside a block of HTML that is rendered once for everybody.

A row of real widgets for each of fifty messages would cost every session far more than the one block that
shows them (docs/architecture.md has the figures). So the block holds plain buttons, and two small components
that each session has for itself mark what belongs to the viewer (`marks.js`) and report clicks (`clicks.js`).
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
def _component(name: str) -> ComponentRenderer:
    script = (Path(__file__).parent / f"{name}.js").read_text(encoding="utf-8")
    return st.components.v2.component(f"tavern_{name}", js=script)


def mark(
    block: str, *, rows: Mapping[str, Sequence[str]] | None = None, everywhere: Sequence[str] = ()
) -> None:
    """Mark the rows of a block for this viewer: `rows` single ones, `everywhere` all of them.

    `block` is the key of the container that holds the HTML.
    """
    data = {"block": block, "me": my_id(), "marks": dict(rows or {}), "everywhere": list(everywhere)}
    _component("marks")(key=f"{block}_marks", data=data)


def clicked(block: str) -> Click | None:
    """Return the click in the block that caused this run, if one did.

    Call it in a plain fragment of its own: a dialog opened here would close when a change wakes the fragment.
    """
    key = f"{block}_clicks"
    result = _component("clicks")(key=key, data={"block": block}, on_action_change=_nothing_more)
    return _new_click(f"{key}_seen", result.get("action"))


def _nothing_more() -> None:
    """Leave it to the run that the click causes."""


def _new_click(seen: str, value: object) -> Click | None:
    if not isinstance(value, Mapping):
        return None
    # A run that something else caused may still see the last click.
    nonce = value.get("nonce")
    if st.session_state.get(seen) == nonce:
        return None
    st.session_state[seen] = nonce
    action, row = value.get("action"), value.get("row")
    return Click(action, row) if isinstance(action, str) and isinstance(row, str) else None
