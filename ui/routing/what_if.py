"""What if: the cost that the same traffic would have had with other models."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from db.routing.models import RoutingDay
from livetables.fragments import live_fragment
from livetables.tables.rows import Rows
from ui.base import html, layout
from ui.base.text import as_label, plural
from ui.routing import tables
from ui.routing.board_html import what_if_html
from ui.routing.day_range import (
    DAYS,
    day_range,
    days_are_loaded,
    show_day_range,
)
from ui.routing.sums import Sums, alternatives, between, dollars, summed

Model = tuple[str, str]
"""A provider, and the name of one of its models."""

_TRAFFIC: Final = "routing_traffic"


def show() -> None:
    """Show the range of days, the model whose traffic to compare, and the comparison."""
    with st.container(horizontal=True):
        show_day_range()
        models = sorted({(row.provider, row.model) for row in tables.daily()})
        st.selectbox(
            "Traffic", models, index=None, key=_TRAFFIC, placeholder="Everything",
            format_func=lambda one: f"{one[0]} / {one[1]}",
        )  # fmt: skip
    _comparison()


@live_fragment(
    tables=(tables.DAILY, tables.PRICES), varies_by=("user", "role", DAYS, _TRAFFIC), key="routing_what_if"
)
def _comparison() -> None:
    first, last = day_range()
    prices = list(tables.prices())
    if not prices:
        layout.empty("🏷️", "No prices yet", "An admin can enter the prices of models.")
        return
    if not days_are_loaded(first):
        return
    traffic = _traffic_of(st.session_state.get(_TRAFFIC), first, last)
    if not traffic.requests:
        layout.empty("🔮", "Nothing to compare", "There were no requests on these days.")
        return
    st.write(
        f"{plural(traffic.requests, 'request')} with {traffic.input_tokens:,} input tokens and"
        f" {traffic.output_tokens:,} output tokens cost **{as_label(dollars(traffic.cost))}**."
        " With another model they would have cost:"
    )
    html.show(what_if_html(alternatives(traffic, prices)))


def _traffic_of(model: Model | None, first: date, last: date) -> Sums:
    """Return the sums of a model's requests, or of all for None; computed once a snapshot."""

    def add_up(rows: Rows[RoutingDay]) -> Sums:
        days = between(rows.values(), first, last)
        return summed(row for row in days if model in (None, (row.provider, row.model)))

    return tables.daily().derived(("traffic", model, first, last), add_up)
