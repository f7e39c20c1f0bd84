"""Which models answered, what that cost, how well it went: live, one's own, and everybody's for admins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from db import routing_metrics as reads
from db.errors import Unreachable
from db.routing_models import RoutingDay, RoutingMetric
from live.filters import Filter
from live.fragments import live_fragment
from live.rows import Rows
from live.sessions import is_loading, refusal
from ui import (
    layout,
    routing_alerts,
    routing_board,
    routing_days,
    routing_export,
    routing_filters,
    routing_forms,
    routing_notices,
    routing_publish,
    routing_sums,
    routing_tables,
    session,
    writing,
)
from ui.account import invite
from ui.first_run import run_whole_app
from ui.pending import WRITES
from ui.people import finder
from ui.routing_board import Reader
from ui.routing_charts import Chart
from ui.routing_totals import By, Totals, totals
from ui.shared import shared_html
from ui.sidebar import Place
from ui.text import as_label, plural
from ui.times import today_in

NEWEST, TOTALS, WHAT_IF, BUDGETS, PRICES, PUBLISH = (
    "Newest",
    "Totals",
    "What if",
    "Budgets",
    "Prices",
    "Publish",
)
DAYS = {"7 days": 7, "30 days": 30, "90 days": 90}
_FILTERS = routing_filters.FILTERS
_FORM, _NUMBERS, _ROWS, _TOTALS = "routing_choose", "routing_numbers", "routing_rows", "routing_totals"
_MOST_EXPORTED = 20_000
_DAY = "routing_day"


def show() -> None:
    layout.page_head("Routing", "Which models answered, what that cost, and how well it went.")
    if session.signed_in() is None:
        invite(Place.ROUTING, "🧭", "Sign in to see your routing", "You see what your own programs sent.")
        return
    routing_filters.begin()
    _alerts()
    views = [NEWEST, TOTALS, WHAT_IF, BUDGETS, *([PRICES] if session.is_admin() else []), PUBLISH]
    view = st.segmented_control(
        "View",
        views,
        default=NEWEST,
        key="tab",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    _SHOWN.get(view or NEWEST, _newest)()
    _new_day()


@live_fragment(
    tables=(routing_tables.DAILY, routing_tables.BUDGETS, WRITES), varies_by=("user",), key="routing_alerts"
)
def _alerts() -> None:
    for filling in routing_notices.mine(session.my_id() or ""):
        if filling.alert is routing_alerts.Alert.HARD:
            st.error(as_label(filling.words), icon=":material/notification_important:")
        elif filling.alert is routing_alerts.Alert.SOFT:
            st.warning(as_label(filling.words), icon=":material/notifications:")


@st.fragment(run_every=60, key="routing_new_day")
def _new_day() -> None:
    """Turn the page at midnight (UTC), when nothing else does."""
    before = st.session_state.get(_DAY)
    st.session_state[_DAY] = routing_days.today()
    if before is not None and before != st.session_state[_DAY]:
        st.rerun()


# ---------------------------------------------------------------- live


def _newest() -> None:
    _choose((_FORM, _NUMBERS, _ROWS))
    _numbers()
    _rows()


@st.fragment(key=_FORM)
def _choose(fragments: Sequence[str]) -> None:
    routing_filters.show(fragments)


@live_fragment(tables=(routing_tables.DAILY,), varies_by=("user", _FILTERS), key=_NUMBERS)
def _numbers() -> None:
    filters = routing_filters.chosen()
    followed = routing_filters.summable(filters)
    if not _complete(routing_days.last_month_begins(routing_days.today())):
        return
    st.html(routing_board.figures_html(routing_days.outlook_of(followed)))
    if len(followed) < len(filters):
        left_out = ", ".join(as_label(routing_filters.words(one)) for one in filters if one not in followed)
        st.caption(f"These sums follow provider, model, route and person; not {left_out}.")


def _complete(first: date) -> bool:
    """Tell whether the sums are exact; what is missing is loaded, and wakes the fragment that asks."""
    try:
        if routing_days.are_complete(first):
            return True
    except Unreachable as error:
        writing.complain(error)
        return False
    st.caption("Adding up…")
    return False


@live_fragment(
    tables=(routing_tables.METRICS, "users"), varies_by=("user", "role", "time_zone", _FILTERS), key=_ROWS
)
def _rows() -> None:
    if (reason := refusal(routing_tables.METRICS)) is not None:
        st.error(as_label(f"The database cannot filter like this: {reason}"), icon=":material/error:")
        return
    metrics = routing_tables.metrics()
    newest = routing_board.newest_first(metrics)
    if newest:
        _list(newest)
    elif is_loading(routing_tables.METRICS):
        st.caption("Asking the database…")
    elif routing_filters.chosen():
        layout.empty("🧭", "Nothing passes these filters", "What does appears here as it is routed.")
    else:
        layout.empty(
            "🧭", "Nothing was routed yet", "Publish from a program of yours; it appears here at once."
        )
        routing_publish.show()


def _list(newest: Sequence[RoutingMetric]) -> None:
    metrics, users, zone = routing_tables.metrics(), session.users(), session.zone()
    admin, today = session.is_admin(), today_in(zone)
    key = ("routed", metrics, users if admin else None, zone.key, today)
    reader = Reader(zone, today, finder(users) if admin else None)
    st.html(shared_html(key, lambda: routing_board.list_html(newest, reader)))
    passing = " that pass" if routing_filters.chosen() else ""
    st.caption(f"The newest {plural(len(newest), 'decision')}{passing}, as they are made.")
    _export(newest)


def _export(newest: Sequence[RoutingMetric]) -> None:
    # The files are made when they are asked for, past the session: they need what they hold now.
    me, conditions = session.signed_in(), routing_filters.conditions()

    def everything() -> Sequence[RoutingMetric]:
        if me is None:
            return newest
        # A database that is away makes no file, and the button says so: half a file would pass for all.
        return [RoutingMetric.from_record(record) for record in reads.newest(me, conditions, _MOST_EXPORTED)]

    with st.container(horizontal=True):
        st.download_button(
            "Export CSV", lambda: routing_export.as_csv(everything()), "routing.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
            help=f"Everything that passes, the newest {_MOST_EXPORTED:,} at most",
        )  # fmt: skip
        st.download_button(
            "Export JSON", lambda: routing_export.as_json(everything()), "routing.json", "application/json",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip


# ---------------------------------------------------------------- totals


def _totals() -> None:
    _choose((_FORM, _TOTALS))
    with st.container(horizontal=True):
        st.segmented_control(
            "Days", list(DAYS), default="30 days", key="days", bind="query-params", required=True
        )
        st.segmented_control(
            "By", _groupings(), default=By.MODEL.value, key="by", bind="query-params", required=True
        )
    _sums()


def _groupings() -> list[str]:
    return [by.value for by in By if by is not By.PERSON or session.is_admin()]


def _span(name: object) -> tuple[date, date]:
    last = routing_days.today()
    return last - timedelta(days=DAYS.get(str(name), 30) - 1), last


@live_fragment(
    tables=(routing_tables.DAILY, "users"), varies_by=("user", "role", _FILTERS, "days", "by"), key=_TOTALS
)
def _sums() -> None:
    first, last = _span(st.session_state.get("days"))
    if not _complete(first):
        return
    filters = routing_filters.chosen()
    followed = routing_filters.summable(filters)
    if len(followed) < len(filters):
        st.caption("Totals follow filters on provider, model, route and person only.")
    by = By(st.session_state.get("by") or By.MODEL)
    found = _totals_of(followed, by, first, last)
    if found is None:
        layout.empty("📊", "Nothing to add up", "No request of these days passes.")
        return
    st.html(routing_board.sums_html(by, found.groups))
    for left, right in zip(found.charts[::2], found.charts[1::2], strict=True):
        for column, chart in zip(st.columns(2), (left, right), strict=True):
            with column:
                _draw(chart)


def _totals_of(filters: Sequence[Filter], by: By, first: date, last: date) -> Totals | None:
    users = session.users()
    key = ("totals", tuple(filters), by, first, last, users.revision if by is By.PERSON else 0)

    def added_up(rows: Rows[RoutingDay]) -> Totals | None:
        days = routing_filters.keep_days(rows.values(), filters)
        return totals(routing_sums.between(days, first, last), by, first, last, finder(users))

    return routing_tables.daily().derived(key, added_up)


def _draw(chart: Chart) -> None:
    st.markdown(f"**{chart.title}**")
    if chart.data:
        st.vega_lite_chart(pd.DataFrame(chart.data), chart.spec)
    else:
        st.caption("Nobody measured it.")


# ---------------------------------------------------------------- what if


def _what_if() -> None:
    with st.container(horizontal=True):
        st.segmented_control(
            "Days", list(DAYS), default="30 days", key="days", bind="query-params", required=True
        )
        models = sorted({(row.provider, row.model) for row in routing_tables.daily()})
        st.selectbox(
            "Traffic", models, index=None, key="routing_traffic", placeholder="Everything",
            format_func=lambda one: f"{one[0]} / {one[1]}",
        )  # fmt: skip
    _alternatives()


@live_fragment(
    tables=(routing_tables.DAILY, routing_tables.PRICES),
    varies_by=("user", "role", "days", "routing_traffic"),
    key="routing_what_if",
)
def _alternatives() -> None:
    first, last = _span(st.session_state.get("days"))
    prices = list(routing_tables.prices())
    if not prices:
        layout.empty("🏷️", "No prices yet", "An admin enters what models cost.")
        return
    if not _complete(first):
        return
    traffic = st.session_state.get("routing_traffic")
    sums = routing_tables.daily().derived(
        ("traffic", traffic, first, last),
        lambda rows: routing_sums.summed(
            row
            for row in routing_sums.between(rows.values(), first, last)
            if traffic in (None, (row.provider, row.model))
        ),
    )
    if not sums.requests:
        layout.empty("🔮", "Nothing to compare", "Nothing was routed on these days.")
        return
    st.write(
        f"{plural(sums.requests, 'request')} with {sums.input_tokens:,} tokens in and"
        f" {sums.output_tokens:,} out cost **{as_label(routing_sums.dollars(sums.cost))}**."
        " With another model they would have cost:"
    )
    st.html(routing_board.what_if_html(routing_sums.what_if(sums, prices)))


# ---------------------------------------------------------------- budgets, prices


def _budgets() -> None:
    _budget_list()
    _budget_form()


@live_fragment(
    tables=(routing_tables.DAILY, routing_tables.BUDGETS, WRITES),
    varies_by=("user",),
    key="routing_budget_list",
)
def _budget_list() -> None:
    pending = session.pending(routing_tables.BUDGETS)
    found = routing_notices.mine(session.my_id() or "")
    if not found:
        layout.empty("💰", "No budgets yet", "Set one, and be told the moment it is reached.")
    for filling in found:
        with st.container(horizontal=True, vertical_alignment="center", key=f"budget_{filling.budget.id}"):
            st.html(routing_board.budget_html(filling, pending=filling.budget.id in pending))
            routing_forms.show_budget_removal(filling.budget)


@live_fragment(tables=(WRITES,), varies_by=("user",), key="routing_budget_form")
def _budget_form() -> None:
    st.subheader("Set a budget", anchor=False)
    st.caption("Days and months are those of UTC, as in the providers' bills. Only your own requests count.")
    routing_forms.show_budget_form(sorted({row.provider for row in routing_tables.daily()}))


def _prices() -> None:
    _price_list()
    _price_form()


@live_fragment(tables=(routing_tables.PRICES, WRITES), varies_by=("user", "role"), key="routing_price_list")
def _price_list() -> None:
    prices = sorted(routing_tables.prices(), key=lambda one: (one.provider, one.model))
    if not prices:
        layout.empty("🏷️", "No prices yet", "Enter what models cost, in dollars for a million tokens.")
        return
    st.html(routing_board.prices_html(prices, session.pending(routing_tables.PRICES)))
    routing_forms.show_price_removal(prices)


@live_fragment(tables=(WRITES,), varies_by=("user",), key="routing_price_form")
def _price_form() -> None:
    st.subheader("Set a price", anchor=False)
    routing_forms.show_price_form()


_SHOWN: dict[str, Callable[[], None]] = {
    NEWEST: _newest,
    TOTALS: _totals,
    WHAT_IF: _what_if,
    BUDGETS: _budgets,
    PRICES: _prices,
    PUBLISH: routing_publish.show,
}


if __name__ == "__main__":
    run_whole_app()
