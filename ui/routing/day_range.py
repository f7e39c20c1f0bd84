"""The range of days that totals and what-if cover: chosen with a widget, ended by today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import streamlit as st

from db.errors import UnreachableError
from ui.base import feedback
from ui.routing.days import load_days, today

DAYS: Final = "days"
"""The key of the widget."""

_LENGTHS: Final[Mapping[str, int]] = {"7 days": 7, "30 days": 30, "90 days": 90}
_DEFAULT: Final = "30 days"


def show_day_range() -> None:
    """Let the person choose how many days to cover."""
    st.segmented_control(
        "Days", list(_LENGTHS), default=_DEFAULT, key=DAYS, bind="query-params", required=True
    )


def day_range() -> tuple[date, date]:
    """Return the first and the last day of the chosen range."""
    length, last = _LENGTHS.get(str(st.session_state.get(DAYS)), _LENGTHS[_DEFAULT]), today()
    return last - timedelta(days=length - 1), last


def days_are_loaded(first: date) -> bool:
    """Tell whether all days from the first one on are loaded; if not, load them, and say so on the page.

    The loaded days wake the fragment that calls this.
    """
    try:
        if load_days(first):
            return True
    except UnreachableError as error:
        feedback.show_error(error)
        return False
    st.caption("Adding up…")
    return False
