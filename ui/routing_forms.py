"""The forms of the routing board: a budget of one's own, and for admins the price of a model."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import streamlit as st

from db import routing_budgets, routing_prices
from db.auth import SignedIn
from db.models import Record
from db.routing_budgets import BudgetDraft
from db.routing_models import LONGEST_MODEL, LONGEST_PROVIDER, ModelPrice, Period, RoutingBudget
from db.routing_prices import PriceDraft
from ui import routing_tables, session, writing
from ui.conflicts import Saving
from ui.pending import Expected
from ui.routing_sums import dollars
from ui.text import one_line

_EVERYTHING = "All providers"
_BUDGET, _PRICE = Saving("routing_budget"), Saving("routing_price")
_PERIODS = {Period.MONTH: "A month", Period.DAY: "A day"}


def show_budget_form(providers: Sequence[str]) -> None:
    """Ask for a budget; one for the same period and provider is changed."""
    _BUDGET.finished()
    with st.form("routing_budget", enter_to_submit=True):
        first, second = st.columns(2)
        period = first.selectbox("For", list(_PERIODS), format_func=_PERIODS.__getitem__, key="budget_period")
        provider = second.selectbox(
            "Provider",
            [_EVERYTHING, *providers],
            accept_new_options=True,
            key="budget_provider",
            help="Choose one, or type the name of another.",
        )
        first, second = st.columns(2)
        soft = first.number_input(
            "Warn at ($)", min_value=0.0, max_value=1e6, value=None, format="%.2f", key="budget_soft",
            placeholder="50",
        )  # fmt: skip
        hard = second.number_input(
            "Alarm at ($)", min_value=0.0, max_value=1e6, value=None, format="%.2f", key="budget_hard",
            placeholder="100",
        )  # fmt: skip
        saved = _BUDGET.submit("Save budget")
    if saved:
        _save_budget(period, provider or _EVERYTHING, soft, hard)
    _BUDGET.show()


def _save_budget(period: Period, provider: str, soft: float | None, hard: float | None) -> None:
    problem = budget_problem(soft, hard)
    if problem is not None:
        _BUDGET.forget()
        st.error(problem, icon=":material/error:")
        return
    name = None if provider == _EVERYTHING else one_line(provider)[:LONGEST_PROVIDER] or None
    draft = BudgetDraft(period, name, _amount(soft), _amount(hard))
    before, now = _budget_of(draft), datetime.now(UTC)
    if before and (before.soft_limit, before.hard_limit) == (draft.soft_limit, draft.hard_limit):
        return  # as after a double click
    key = before.id if before else str(uuid.uuid4())

    def do(me: SignedIn) -> Record:
        if before is None:
            return routing_budgets.add(me, key, draft)
        return routing_budgets.change(me, key, draft, before.version)

    foretold = RoutingBudget(
        key, session.my_id() or "", draft.period, draft.provider, draft.soft_limit, draft.hard_limit,
        before.version if before else 0, before.created_at if before else now, now,
    )  # fmt: skip
    expected = Expected(routing_tables.BUDGETS, (key,), foretold, new=before is None)
    _save(_BUDGET, do, expected, "The budget is saved.")


def _save(saving: Saving, do: Callable[[SignedIn], Record], expected: Expected, words: str) -> None:
    """Have a form's row written; it shows at once, and the form rests until the database has taken it."""
    put = writing.putting(expected.table, do)
    saving.begin(writing.ask(put, expected, words=words, told=False))
    st.rerun(scope="fragment")


def budget_problem(soft: float | None, hard: float | None) -> str | None:
    """Say what is missing or wrong with two limits, None when nothing is."""
    if not soft or not hard:
        return "Say at how many dollars to warn and at how many to raise the alarm."
    if soft > hard:
        return "The soft limit is not above the hard limit."
    return None


def _budget_of(draft: BudgetDraft) -> RoutingBudget | None:
    for budget in routing_tables.budgets():
        if (budget.period, budget.provider) == (draft.period, draft.provider):
            return budget
    return None


def show_budget_removal(budget: RoutingBudget) -> None:
    """Offer to remove a budget, and ask once more."""
    with st.popover("Remove", icon=":material/delete:", key=f"budget_menu_{budget.id}"):
        st.write("Its limits are forgotten; what was spent is not.")
        st.button(
            "Remove this budget", type="primary", key=f"budget_remove_{budget.id}", on_click=_remove,
            args=(routing_tables.BUDGETS, budget.id, lambda me: routing_budgets.remove(me, budget.id)),
        )  # fmt: skip


def show_price_form() -> None:
    """Ask an admin for the price of a model; one that has a price already gets another."""
    _PRICE.finished()
    with st.form("routing_price", enter_to_submit=True):
        first, second = st.columns(2)
        provider = first.text_input("Provider", max_chars=LONGEST_PROVIDER, key="price_provider")
        model = second.text_input("Model", max_chars=LONGEST_MODEL, key="price_model")
        first, second = st.columns(2)
        given = first.number_input(
            "Input, $ per million tokens", min_value=0.0, max_value=1e6, value=None, format="%.4f",
            key="price_input",
        )  # fmt: skip
        made = second.number_input(
            "Output, $ per million tokens", min_value=0.0, max_value=1e6, value=None, format="%.4f",
            key="price_output",
        )  # fmt: skip
        saved = _PRICE.submit("Save price")
    if saved:
        _save_price(one_line(provider), one_line(model), given, made)
    _PRICE.show()


def _save_price(provider: str, model: str, given: float | None, made: float | None) -> None:
    if not provider or not model or given is None or made is None:
        _PRICE.forget()
        st.error("A price needs a provider, a model and two amounts.", icon=":material/error:")
        return
    draft = PriceDraft(provider, model, _amount(given), _amount(made))
    before = next(
        (one for one in routing_tables.prices() if (one.provider, one.model) == (provider, model)), None
    )
    if before and (before.input_price, before.output_price) == (draft.input_price, draft.output_price):
        return  # as after a double click
    now, key = datetime.now(UTC), before.id if before else str(uuid.uuid4())

    def do(me: SignedIn) -> Record:
        if before is None:
            return routing_prices.add(me, key, draft)
        return routing_prices.change(me, key, draft, before.version)

    foretold = ModelPrice(
        key, provider, model, draft.input_price, draft.output_price,
        before.version if before else 0, before.created_at if before else now, now,
    )  # fmt: skip
    expected = Expected(routing_tables.PRICES, (key,), foretold, new=before is None)
    _save(_PRICE, do, expected, "The price is saved.")


def show_price_removal(prices: Sequence[ModelPrice]) -> None:
    """Offer an admin to remove a price."""
    names = {price.id: f"{price.provider} / {price.model}" for price in prices}
    with st.popover("Remove a price", icon=":material/delete:", key="price_menu"):
        chosen = st.selectbox(
            "Model", list(names), format_func=lambda one: names.get(one, "…"), index=None, key="price_gone"
        )
        price = next((one for one in prices if one.id == chosen), None)
        if price is not None:
            st.caption(
                f"{dollars(price.input_price)} in, {dollars(price.output_price)} out, per million tokens"
            )
        st.button(
            "Remove this price", type="primary", disabled=price is None, on_click=_remove,
            args=(routing_tables.PRICES, chosen, lambda me: routing_prices.remove(me, str(chosen))),
        )  # fmt: skip


def _remove(table: str, row_id: str, do: Callable[[SignedIn], None]) -> None:
    writing.ask(writing.removing(table, (row_id,), do), Expected(table, (row_id,), None))


def _amount(value: float | None) -> Decimal:
    return Decimal(str(value or 0))
