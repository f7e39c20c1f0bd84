"""A word in passing, on whatever page, when the spending of this person crosses a limit of theirs."""

from __future__ import annotations

import contextlib
from datetime import date
from typing import cast

import streamlit as st

from db.errors import DatabaseError
from live.fragments import live_fragment
from ui import routing_tables, session, writing
from ui.routing_alerts import Alert, Filling, fillings
from ui.routing_days import are_complete, today
from ui.routing_sums import first_of_month

_SEEN = "tavern_budget_alerts"
_ICONS = {Alert.SOFT: ":material/notifications:", Alert.HARD: ":material/notification_important:"}

Seen = dict[str, tuple[Alert, date]]
"""Of each budget: its worst alert so far, and the day that was."""


@live_fragment(
    tables=(routing_tables.DAILY, routing_tables.BUDGETS), varies_by=("user",), key="routing_notices"
)
def show() -> None:
    """Watch the person's budgets; limits that were crossed before they came are shown on the page."""
    me = session.my_id()
    if me is None:
        st.session_state.pop(_SEEN, None)
        return
    if not routing_tables.budgets():
        st.session_state[_SEEN] = {}
        return
    found = mine(me)
    seen = cast("Seen | None", st.session_state.get(_SEEN))
    if seen is not None:
        for filling in news(seen, found, today()):
            writing.say(filling.words, _ICONS[filling.alert])
    st.session_state[_SEEN] = {one.budget.id: (one.alert, today()) for one in found}


def mine(user_id: str) -> list[Filling]:
    """Return how full this person's budgets are, the worst first."""
    day = today()
    # What is loaded is what can be told; the badge says when the database is away.
    with contextlib.suppress(DatabaseError):
        are_complete(first_of_month(day))
    budgets = routing_tables.budgets()
    return routing_tables.daily().derived(
        ("fillings", user_id, day, budgets.revision),
        lambda rows: fillings(budgets, list(rows.values()), user_id, day),
    )


def news(seen: Seen, found: list[Filling], day: date) -> list[Filling]:
    """Return the budgets whose alert is worse than it was; a new day or month begins anew."""
    return [one for one in found if one.alert and one.alert > _before(seen, one, day)]


def _before(seen: Seen, filling: Filling, day: date) -> Alert:
    alert, when = seen.get(filling.budget.id, (Alert.NONE, day))
    same = when == day if filling.budget.period == "day" else first_of_month(when) == first_of_month(day)
    return alert if same else Alert.NONE
