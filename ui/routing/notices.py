"""A toast on any page when the person's spending crosses a limit of one of their budgets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, cast

import streamlit as st

from db.errors import DatabaseError
from db.routing.models import Period
from livetables.fragments import live_fragment
from ui.base import feedback, session
from ui.routing import tables
from ui.routing.alerts import Alert, BudgetStatus, budget_statuses
from ui.routing.days import load_days, today
from ui.routing.sums import first_of_month

Seen = Mapping[str, tuple[Alert, date]]
"""For each budget's id, the last alert and the day on which it was seen."""

_SEEN: Final = "tavern_budget_alerts"
_ICONS: Final = {Alert.SOFT: ":material/notifications:", Alert.HARD: ":material/notification_important:"}


@live_fragment(tables=(tables.DAILY, tables.BUDGETS), varies_by=("user",), key="routing_notices")
def show() -> None:
    """Announce limits that are crossed; those that were crossed earlier are on the page Routing."""
    me = session.my_id()
    if me is None:
        st.session_state.pop(_SEEN, None)
        return
    if not tables.budgets():
        st.session_state[_SEEN] = {}
        return
    statuses = my_budgets(me)
    seen = cast("Seen | None", st.session_state.get(_SEEN))
    if seen is not None:
        for status in new_alerts(seen, statuses, today()):
            feedback.toast(status.message, _ICONS[status.alert])
    st.session_state[_SEEN] = {one.budget.id: (one.alert, today()) for one in statuses}


def my_budgets(user_id: str) -> list[BudgetStatus]:
    """Return the status of this person's budgets, the worst first."""
    day = today()
    # Without a connection, use the days that are loaded; the badge shows that the database is unreachable.
    with contextlib.suppress(DatabaseError):
        load_days(first_of_month(day))
    budgets = tables.budgets()
    return tables.daily().derived(
        ("budget statuses", user_id, day, budgets.revision),
        lambda rows: budget_statuses(budgets, list(rows.values()), user_id, day),
    )


def new_alerts(seen: Seen, statuses: Iterable[BudgetStatus], day: date) -> list[BudgetStatus]:
    """Return the budgets whose alert is worse than when it was seen in the same period."""
    return [one for one in statuses if one.alert and one.alert > _seen_alert(seen, one, day)]


def _seen_alert(seen: Seen, status: BudgetStatus, day: date) -> Alert:
    alert, seen_on = seen.get(status.budget.id, (Alert.NONE, day))
    if status.budget.period is Period.DAY:
        return alert if seen_on == day else Alert.NONE
    return alert if first_of_month(seen_on) == first_of_month(day) else Alert.NONE
