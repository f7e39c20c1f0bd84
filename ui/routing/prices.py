"""The prices of models, for admins: the list, and the forms that set and remove one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.routing import prices
from db.routing.models import LONGEST_MODEL, LONGEST_PROVIDER, ModelPrice
from db.routing.prices import PriceDraft
from livetables.fragments import live_fragment
from ui.base import drafts, html, layout, session
from ui.base.text import one_line
from ui.base.write_queue import WRITES, Expected
from ui.routing import tables
from ui.routing.board_html import prices_html
from ui.routing.sums import dollars
from ui.writes.saving import Saving
from ui.writes.submit import submit_removal, submit_row

_SAVING: Final = Saving("routing_price")


def show() -> None:
    """Show the prices and the form."""
    _list()
    _form()


@live_fragment(tables=(tables.PRICES, WRITES), varies_by=("user", "role"), key="routing_price_list")
def _list() -> None:
    known = sorted(tables.prices(), key=lambda one: (one.provider, one.model))
    if not known:
        layout.empty("🏷️", "No prices yet", "Enter the prices of models, in dollars per million tokens.")
        return
    html.show(prices_html(known, session.pending(tables.PRICES)))
    _removal(known)


def _removal(known: Sequence[ModelPrice]) -> None:
    names = {price.id: f"{price.provider} / {price.model}" for price in known}
    with st.popover("Remove a price", icon=":material/delete:", key="price_menu"):
        chosen = st.selectbox(
            "Model", list(names), format_func=lambda one: names.get(one, "…"), index=None, key="price_gone"
        )
        price = next((one for one in known if one.id == chosen), None)
        if price is not None:
            st.caption(
                f"{dollars(price.input_price)} in, {dollars(price.output_price)} out, per million tokens"
            )
        st.button(
            "Remove this price", type="primary", disabled=price is None, on_click=_remove, args=(chosen,)
        )


def _remove(price_id: str) -> None:
    submit_removal(tables.PRICES, (price_id,), lambda me: prices.remove(me, price_id))


# ---------------------------------------------------------------- the form


@live_fragment(tables=(WRITES,), varies_by=("user",), key="routing_price_form")
def _form() -> None:
    st.header("Set a price", anchor=False)
    if _SAVING.finished():
        drafts.forget(drafts.PRICE)
    key = drafts.shown(drafts.PRICE, "price").key
    drafts.keep(drafts.PRICE, key)
    with st.form("routing_price", enter_to_submit=True):
        first, second = st.columns(2)
        provider = first.text_input("Provider", max_chars=LONGEST_PROVIDER, key=f"{key}_provider")
        model = second.text_input("Model", max_chars=LONGEST_MODEL, key=f"{key}_model")
        first, second = st.columns(2)
        input_price = first.number_input(
            "Input, $ per million tokens", min_value=0.0, max_value=1e6, value=None, format="%.4f",
            key=f"{key}_input",
        )  # fmt: skip
        output_price = second.number_input(
            "Output, $ per million tokens", min_value=0.0, max_value=1e6, value=None, format="%.4f",
            key=f"{key}_output",
        )  # fmt: skip
        submitted = _SAVING.submit("Save price")
    if submitted:
        _save(one_line(provider), one_line(model), input_price, output_price)
    _SAVING.show()


def _save(provider: str, model: str, input_price: float | None, output_price: float | None) -> None:
    if not provider or not model or input_price is None or output_price is None:
        _SAVING.forget()
        st.error("Enter a provider, a model and both prices.", icon=":material/error:")
        return
    draft = PriceDraft(provider, model, Decimal(str(input_price)), Decimal(str(output_price)))
    before = next((one for one in tables.prices() if (one.provider, one.model) == (provider, model)), None)
    if before and (before.input_price, before.output_price) == (draft.input_price, draft.output_price):
        # Nothing changes, as after a double click, or after a refusal of what was written all the same.
        _SAVING.forget()
        return
    key = before.id if before else str(uuid.uuid4())

    def save(me: SignedIn) -> Record:
        if before is None:
            return prices.add(me, key, draft)
        return prices.change(me, key, draft, before.version)

    expected = Expected(tables.PRICES, (key,), _expected(key, draft, before), new=before is None)
    write = submit_row(tables.PRICES, save, expected, success_message="The price is saved.", notify=False)
    _SAVING.begin(write)
    st.rerun(scope="fragment")


def _expected(key: str, draft: PriceDraft, before: ModelPrice | None) -> ModelPrice:
    now = datetime.now(UTC)
    return ModelPrice(
        key, draft.provider, draft.model, draft.input_price, draft.output_price,
        before.version if before else 0, before.created_at if before else now, now,
    )  # fmt: skip
