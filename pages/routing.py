"""Routing: which models answered, what that cost and how well it went; everybody's for admins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from ui.base import layout, session
from ui.routing import budgets, newest, prices, publish, totals, what_if
from ui.routing.days import today
from ui.routing.filters import read_address
from ui.shell.account import invite
from ui.shell.run_app import run_whole_app

_VIEWS: Final[Mapping[str, Callable[[], None]]] = {
    "Newest": newest.show,
    "Totals": totals.show,
    "What if": what_if.show,
    "Budgets": budgets.show,
    "Prices": prices.show,
    "Publish": publish.show,
}
_NEWEST: Final = "Newest"
_FOR_ADMINS: Final = frozenset({"Prices"})
_DAY: Final = "routing_day"


def show() -> None:
    layout.page_head("Routing", "Which models answered, what that cost, and how well it went.")
    if session.signed_in() is None:
        invite("🧭", "Sign in to see your routing", "You see what your own programs sent.")
        return
    read_address()
    budgets.show_alerts()
    view = st.segmented_control(
        "View",
        [name for name in _VIEWS if session.is_admin() or name not in _FOR_ADMINS],
        default=_NEWEST,
        key="tab",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    _VIEWS.get(view or _NEWEST, newest.show)()
    _rerun_at_midnight()


@st.fragment(run_every=60, key="routing_new_day")
def _rerun_at_midnight() -> None:
    """Rerun the page when a day begins in UTC: that changes no row, so it wakes no fragment."""
    before = st.session_state.get(_DAY)
    st.session_state[_DAY] = today()
    if before is not None and before != st.session_state[_DAY]:
        st.rerun()


if __name__ == "__main__":
    run_whole_app()
