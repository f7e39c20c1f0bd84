"""The cookie that keeps a browser signed in: it holds the refresh token, which only this origin may read."""

from __future__ import annotations

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


def keep(value: str | None, *, dead: str | None = None) -> None:
    """Set the cookie, or clear it if it still holds the `dead` token. Call it in every run, at one place."""
    data = {"name": NAME, "value": value or "", "dead": dead or "", "max_age": MAX_AGE}
    _component()(key="tavern_cookie", data=data)
