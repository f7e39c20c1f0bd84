"""Buttons inside a block of HTML that is built once for everybody.

Real widgets on each of eighty messages would cost every session far more than the shared block. So the block
has plain HTML buttons, and each session has two small components beside it: one marks what belongs to the
viewer (`marks.js`), the other reports clicks (`clicks.js`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.base.session import my_id
from ui.base.tab import own_key

_KEPT: Final = 100
"""Clicks whose nonces are kept: more than the browser sends again."""


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
    block: str,
    *,
    rows: Mapping[str, Sequence[str]] | None = None,
    everywhere: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
) -> None:
    """Mark the rows of a block for this viewer.

    Args:
        block: The key of the container that holds the HTML.
        rows: The marks of single rows, by their `data-row`.
        everywhere: The marks of all rows.
        notes: What single rows say to this viewer, by their `data-row`.
    """
    data = {
        "block": block,
        "me": my_id(),
        "marks": dict(rows or {}),
        "everywhere": list(everywhere),
        "notes": dict(notes or {}),
    }
    _component("marks")(key=f"{block}_marks", data=data)


def clicked(block: str, at_once: Callable[[Click], bool] | None = None) -> Click | None:
    """Return the click that caused this run, if one did.

    Call it in a plain fragment of its own. In a live fragment, the next change would close a dialog that the
    click has opened.

    `at_once` is called first, and returns whether it has done what the click says; then the click is not
    returned. It also gets a click after which the person has left the page before this run began. In this
    callback the tables are still those of the last run: `session.newest` has what there is now.
    """
    key = own_key(f"{block}_clicks")
    seen = f"{key}_seen"
    # After a restart the browser reports to a new session what the one before has done already. It marks each
    # click with the session that it was meant for.
    session: str = st.session_state.setdefault(f"{key}_session", uuid.uuid4().hex)

    def on_clicks() -> None:
        if at_once is None:
            return
        for nonce, click in _unseen(seen, session, st.session_state.get(key)):
            if at_once(click):
                _note(seen, nonce)

    data = {"block": block, "session": session}
    result = _component("clicks")(key=key, data=data, on_clicks_change=on_clicks)
    new = _unseen(seen, session, result)
    for nonce, _ in new:
        _note(seen, nonce)
    return new[-1][1] if new else None


def _unseen(seen: str, session: str, reported: object) -> list[tuple[str, Click]]:
    """Return this session's clicks that were not seen yet, by their nonces.

    The browser sends the newest clicks again.
    """
    clicks = reported.get("clicks") if isinstance(reported, Mapping) else None
    known, new = st.session_state.get(seen, ()), []
    for one in clicks if isinstance(clicks, Sequence) else ():
        match one:
            case {"action": str(action), "row": str(row), "nonce": str(nonce), "session": str(meant)} if (
                meant == session and nonce not in known
            ):
                new.append((nonce, Click(action, row)))
    return new


def _note(seen: str, nonce: str) -> None:
    st.session_state[seen] = (*st.session_state.get(seen, ()), nonce)[-_KEPT:]
