"""The cookie that keeps a browser signed in: it holds the refresh token, which only this origin may read.

Several processes of the app may serve one browser; through the cookie each knows what the others put there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

NAME = "tavern_sign_in"
MAX_AGE = 60 * 60 * 24 * 30
"""Seconds: a month after the last visit the person signs in again."""


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("tavern_cookie", js=(Path(__file__).parent / "cookie.js").read_text())


def kept() -> str | None:
    """Return what the browser sent when this tab connected."""
    value = st.context.cookies.get(NAME)
    return unquote(value) if value else None


def keep(value: str | None, *, dead: str | None = None, ask: str = "") -> str | None:
    """Set the cookie, or clear it if it holds the `dead` sign-in. Call it in every run, at one place.

    Never set back to what is older. Returns what the browser has told since the last call: what is newer than
    `value`, or once for each new `ask` whatever there is. Telling it runs the fragment that calls this.
    """
    data = {"name": NAME, "value": value or "", "dead": dead or "", "max_age": MAX_AGE, "ask": ask}
    result = _component()(key="tavern_cookie", data=data, on_kept_change=_nothing_more)
    told = result.get("kept")
    text = told.get("text") if isinstance(told, Mapping) else None
    return text if isinstance(text, str) and text else None


def _nothing_more() -> None:
    """Leave it to the run that the telling causes."""
