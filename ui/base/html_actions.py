"""Buttons inside a block of HTML that is built once for everybody.

Real widgets on each of eighty messages would cost every session far more than the shared block. So the block
has plain HTML buttons, and each session has two small components beside it: one marks what belongs to the
viewer (`marks.js`), the other reports clicks (`clicks.js`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.base.session import my_id
from ui.base.tab import own_key


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a button: its `data-action`, and the `data-row` around it."""

    action: str
    row: str


@cache
def _component(name: str) -> ComponentRenderer:
    script = (Path(__file__).parent / f"{name}.js").read_text(encoding="utf-8")
    return st.components.v2.component(f"tavern_{name}", js=script)


def mark(
    block: str, *, rows: Mapping[str, Sequence[str]] | None = None, everywhere: Sequence[str] = ()
) -> None:
    """Mark the rows of a block for this viewer.

    Args:
        block: The key of the container that holds the HTML.
        rows: The marks of single rows, by their `data-row`.
        everywhere: The marks of all rows.
    """
    data = {"block": block, "me": my_id(), "marks": dict(rows or {}), "everywhere": list(everywhere)}
    _component("marks")(key=f"{block}_marks", data=data)


def clicked(block: str) -> Click | None:
    """Return the click that caused this run, if one did.

    Call it in a plain fragment of its own. In a live fragment, the next change would close a dialog that the
    click has opened.
    """
    key = own_key(f"{block}_clicks")
    result = _component("clicks")(key=key, data={"block": block}, on_action_change=_rerun_only)
    return _new_click(f"{key}_seen", result.get("action"))


def _rerun_only() -> None:
    """Do nothing: the run that follows reads the result."""


def _new_click(seen: str, value: object) -> Click | None:
    if not isinstance(value, Mapping):
        return None
    # The last click is still there in later runs, which something else has caused.
    nonce = value.get("nonce")
    if st.session_state.get(seen) == nonce:
        return None
    st.session_state[seen] = nonce
    action, row = value.get("action"), value.get("row")
    return Click(action, row) if isinstance(action, str) and isinstance(row, str) else None
