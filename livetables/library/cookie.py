"""The cookie that keeps a browser signed in. It holds the refresh token, and only this origin may read it.

Several processes of the app may serve one browser. Each learns from the cookie when another one has rotated
the token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

MAX_AGE = 60 * 60 * 24 * 30
"""Seconds. A person who stays away for longer has to sign in again."""


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "livetables_cookie", js=(Path(__file__).parent / "cookie.js").read_text()
    )


def received(name: str) -> str | None:
    """Return the cookie of this name that the browser sent when this tab connected."""
    value = st.context.cookies.get(name)
    return unquote(value) if value else None


@dataclass(frozen=True, slots=True)
class Report:
    """What the browser has said about its cookie in this run; None where it has said nothing.

    `newer` is the cookie of this sign-in as another process wrote it. `others` is the cookie of another
    sign-in, which the browser keeps instead of this one; empty once this one is kept.
    """

    newer: str | None
    others: str | None


def sync(
    name: str, value: str | None, *, ended: str | None = None, others: str = "", request: str = ""
) -> Report:
    """Write the cookie, and read what others wrote. Call it in every run, from one place.

    A newer cookie is never replaced by an older one, nor the cookie of another sign-in at all. A report
    causes another run of the calling fragment.

    Args:
        name: The cookie's name.
        value: The cookie to keep; None for a visitor, whose cookie is left alone.
        ended: A sign-in that has ended: the cookie is cleared if it still holds this one.
        others: The newest cookie of the other sign-in that the browser keeps. It replaces an older one, as
            that sign-in may have no tab any more that does it.
        request: A text that differs for each request to report the cookie whatever it holds. Empty: only a
            cookie that is newer than `value` is reported.
    """
    data = {
        "name": name,
        "value": value or "",
        "ended": ended or "",
        "others": others,
        "max_age": MAX_AGE,
        "request": request,
    }
    result = _component()(
        key="livetables_cookie", data=data, on_stored_change=_rerun_only, on_other_change=_rerun_only
    )
    return Report(_text(result.get("stored")) or None, _text(result.get("other")))


def _text(reported: object) -> str | None:
    text = reported.get("text") if isinstance(reported, Mapping) else None
    return text if isinstance(text, str) else None


def _rerun_only() -> None:
    """Do nothing: the run that follows reads the result."""
