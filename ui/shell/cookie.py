"""The cookie that keeps a browser signed in to Tavern."""

from __future__ import annotations

from typing import Final

from livetables.library import cookie
from livetables.library.cookie import MAX_AGE, Report

__all__ = ["MAX_AGE", "NAME", "Report", "received", "sync"]

NAME: Final = "tavern_sign_in"


def received() -> str | None:
    """Return the cookie that the browser sent when this tab connected."""
    return cookie.received(NAME)


def sync(value: str | None, *, ended: str | None = None, others: str = "", request: str = "") -> Report:
    """Write the cookie, and read what others wrote. As `livetables.library.cookie.sync`."""
    return cookie.sync(NAME, value, ended=ended, others=others, request=request)
