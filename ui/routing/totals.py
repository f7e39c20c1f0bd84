"""Totals: the sums of a range of days by provider, model, route, day or person, with charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import pandas as pd
import streamlit as st

from db.routing.models import RoutingDay
from livetables.fragments import live_fragment
from livetables.tables.filters import Filter
from livetables.tables.rows import Rows
from ui.base import html, layout, session
from ui.base.charts import dated
from ui.base.people import finder
from ui.routing import tables
from ui.routing.board_html import sums_html
from ui.routing.charts import Chart
from ui.routing.day_range import (
    DAYS,
    day_range,
    days_are_loaded,
    show_day_range,
)
from ui.routing.filter_form import show_filters
from ui.routing.filters import FILTERS, current_filters, keep_days, summable
from ui.routing.grouping import GroupBy, Totals, totals
from ui.routing.sums import between

_TOTALS: Final = "routing_totals"
_GROUP_BY: Final = "by"


def show() -> None:
    """Show filters, the range of days, the grouping and the totals."""
    show_filters((_TOTALS,))
    with st.container(horizontal=True):
        show_day_range()
        st.segmented_control(
            "By", _groupings(), default=GroupBy.MODEL.value, key=_GROUP_BY, bind="query-params", required=True
        )
    _totals()


def _groupings() -> list[str]:
    return [each.value for each in GroupBy if each is not GroupBy.PERSON or session.is_admin()]


@live_fragment(
    tables=(tables.DAILY, "users"),
    varies_by=("user", "role", FILTERS, DAYS, _GROUP_BY, "language"),
    key=_TOTALS,
)
def _totals() -> None:
    first, last = day_range()
    if not days_are_loaded(first):
        return
    filters = current_filters()
    applied = summable(filters)
    if len(applied) < len(filters):
        st.caption("Totals are filtered by provider, model, route and person only.")
    group_by = GroupBy(st.session_state.get(_GROUP_BY) or GroupBy.MODEL)
    found = _totals_of(applied, group_by, first, last)
    if found is None:
        layout.empty("📊", "Nothing to add up", "No request of these days passes the filters.")
        return
    html.show(sums_html(group_by, found.groups))
    st.caption("p50, p95: half, and 95 %, of the requests took no longer. Fallbacks: another model answered.")
    if not any(chart.data for chart in found.charts):
        st.caption(found.charts[0].missing)
        return
    for left, right in zip(found.charts[::2], found.charts[1::2], strict=True):
        for column, chart in zip(st.columns(2), (left, right), strict=True):
            with column:
                _draw(chart)


def _totals_of(filters: Sequence[Filter], group_by: GroupBy, first: date, last: date) -> Totals | None:
    """Return the totals of a range of days; computed once a snapshot."""
    users = session.users()
    revision = users.revision if group_by is GroupBy.PERSON else 0
    key = ("totals", tuple(filters), group_by, first, last, revision)

    def add_up(rows: Rows[RoutingDay]) -> Totals | None:
        days = between(keep_days(rows.values(), filters), first, last)
        return totals(days, group_by, first, last, finder(users))

    return tables.daily().derived(key, add_up)


def _draw(chart: Chart) -> None:
    st.markdown(f"**{chart.title}**")
    if chart.data:
        st.vega_lite_chart(pd.DataFrame(chart.data), dated(chart.spec, session.region()))
    else:
        st.caption(chart.missing)
