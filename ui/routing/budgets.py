"""Budgets: how much of each is spent, the alerts, and the form for one's own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.routing import budgets
from db.routing.budgets import BudgetDraft
from db.routing.models import LONGEST_PROVIDER, Period, RoutingBudget
from livetables.fragments import live_fragment
from ui.base import drafts, html, layout, session
from ui.base.drafts import Draft
from ui.base.text import as_label, one_line
from ui.base.write_queue import WRITES, Expected
from ui.routing import tables
from ui.routing.alerts import Alert
from ui.routing.board_html import budget_html
from ui.routing.notices import my_budgets
from ui.writes.saving import Saving
from ui.writes.submit import submit_removal, submit_row

_ALL_PROVIDERS: Final = "All providers"
_PERIODS: Final = {Period.MONTH: "A month", Period.DAY: "A day"}
_SAVING: Final = Saving("routing_budget")


def show() -> None:
    """Show the budgets and the form."""
    _list()
    _form()


@live_fragment(tables=(tables.DAILY, tables.BUDGETS, WRITES), varies_by=("user",), key="routing_alerts")
def show_alerts() -> None:
    """Show which limits are crossed."""
    for status in my_budgets(session.my_id() or ""):
        if status.alert is Alert.HARD:
            st.error(as_label(status.message), icon=":material/notification_important:")
        elif status.alert is Alert.SOFT:
            st.warning(as_label(status.message), icon=":material/notifications:")


@live_fragment(tables=(tables.DAILY, tables.BUDGETS, WRITES), varies_by=("user",), key="routing_budget_list")
def _list() -> None:
    pending, statuses = session.pending(tables.BUDGETS), my_budgets(session.my_id() or "")
    if not statuses:
        layout.empty("💰", "No budgets yet", "Set one to get an alert as soon as it is reached.")
    for status in statuses:
        budget = status.budget
        with st.container(horizontal=True, vertical_alignment="center", key=f"budget_{budget.id}"):
            html.show(budget_html(status, pending=budget.id in pending))
            _removal(budget)


def _removal(budget: RoutingBudget) -> None:
    with st.popover("Remove", icon=":material/delete:", key=f"budget_menu_{budget.id}"):
        st.write("This removes the limits. Your spending is kept.")
        st.button(
            "Remove this budget", type="primary", key=f"budget_remove_{budget.id}", on_click=_remove,
            args=(budget.id,),
        )  # fmt: skip


def _remove(budget_id: str) -> None:
    submit_removal(tables.BUDGETS, (budget_id,), lambda me: budgets.remove(me, budget_id))


# ---------------------------------------------------------------- the form


@live_fragment(tables=(WRITES,), varies_by=("user",), key="routing_budget_form")
def _form() -> None:
    st.header("Set a budget", anchor=False)
    st.caption("Days and months are in UTC, as in the providers' bills. Only your own requests count.")
    if _SAVING.finished():
        drafts.forget(drafts.BUDGET)
    kept = drafts.shown(drafts.BUDGET, "budget")
    drafts.keep(drafts.BUDGET, kept.key)
    with st.form("routing_budget", enter_to_submit=True):
        period, provider = _period_and_provider(kept, sorted({row.provider for row in tables.daily()}))
        soft, hard = _limits(kept.key)
        submitted = _SAVING.submit("Save budget")
    if submitted:
        _save(period, provider, soft, hard)
    _SAVING.show()


def _period_and_provider(kept: Draft, known: Sequence[str]) -> tuple[Period, str | None]:
    first, second = st.columns(2)
    period = first.selectbox(
        "For", list(_PERIODS), kept.index("_period", list(_PERIODS.values())),
        format_func=_PERIODS.__getitem__, key=f"{kept.key}_period",
    )  # fmt: skip
    typed = kept.options.get("_provider", _ALL_PROVIDERS)
    providers = list(dict.fromkeys((_ALL_PROVIDERS, *known, typed)))
    chosen = second.selectbox(
        "Provider", providers, providers.index(typed), accept_new_options=True, key=f"{kept.key}_provider",
        help="Choose one, or type the name of another.",
    )  # fmt: skip
    if chosen in (None, _ALL_PROVIDERS):
        return period, None
    return period, one_line(chosen)[:LONGEST_PROVIDER] or None


def _limits(key: str) -> tuple[float | None, float | None]:
    first, second = st.columns(2)
    soft = first.number_input(
        "Warn at ($)", min_value=0.0, max_value=1e6, value=None, format="%.2f", key=f"{key}_soft",
        placeholder="50",
    )  # fmt: skip
    hard = second.number_input(
        "Alarm at ($)", min_value=0.0, max_value=1e6, value=None, format="%.2f", key=f"{key}_hard",
        placeholder="100",
    )  # fmt: skip
    return soft, hard


def limits_problem(soft: float | None, hard: float | None) -> str | None:
    """Say what is wrong with two limits, None when nothing is."""
    if not soft or not hard:
        return "Enter at how many dollars to warn and at how many to raise the alarm."
    if soft > hard:
        return "The soft limit must not be above the hard limit."
    return None


def _save(period: Period, provider: str | None, soft: float | None, hard: float | None) -> None:
    problem = limits_problem(soft, hard)
    if problem is not None:
        _SAVING.forget()
        st.error(problem, icon=":material/error:")
        return
    draft = BudgetDraft(period, provider, Decimal(str(soft)), Decimal(str(hard)))
    before = _budget_of(draft)
    if before and (before.soft_limit, before.hard_limit) == (draft.soft_limit, draft.hard_limit):
        # Nothing changes, as after a double click, or after a refusal of what was written all the same.
        _SAVING.forget()
        return
    key = before.id if before else str(uuid.uuid4())

    def save(me: SignedIn) -> Record:
        if before is None:
            return budgets.add(me, key, draft)
        return budgets.change(me, key, draft, before.version)

    row = _expected(key, draft, before)
    expected = Expected(tables.BUDGETS, (key,), row, new=before is None)
    write = submit_row(tables.BUDGETS, save, expected, success_message="The budget is saved.", notify=False)
    _SAVING.begin(write)
    st.rerun(scope="fragment")


def _budget_of(draft: BudgetDraft) -> RoutingBudget | None:
    """Return the budget for the same period and provider, which the draft replaces."""
    for budget in tables.budgets():
        if (budget.period, budget.provider) == (draft.period, draft.provider):
            return budget
    return None


def _expected(key: str, draft: BudgetDraft, before: RoutingBudget | None) -> RoutingBudget:
    now = datetime.now(UTC)
    return RoutingBudget(
        key, session.my_id() or "", draft.period, draft.provider, draft.soft_limit, draft.hard_limit,
        before.version if before else 0, before.created_at if before else now, now,
    )  # fmt: skip
