"""The newest decisions, live, under the figures of today and the month; and their export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from db.routing import metrics as metric_calls
from db.routing.models import RoutingMetric
from livetables.fragments import live_fragment
from livetables.running_session import is_loading, refusal
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import html, layout, session
from ui.base.html_cache import shared_html
from ui.base.people import finder
from ui.base.text import as_label, plural
from ui.base.times import today_in
from ui.routing import export, publish, tables
from ui.routing.board_html import Viewer, decisions_html, figures_html
from ui.routing.day_range import days_are_loaded
from ui.routing.days import first_of_last_month, outlook_of, today
from ui.routing.filter_form import show_filters
from ui.routing.filters import (
    FILTERS,
    current_filters,
    describe,
    postgrest_conditions,
    summable,
)

NEWEST: Final = 100
"""How many decisions the page shows."""

_FIGURES: Final = "routing_numbers"
_DECISIONS: Final = "routing_rows"
_MOST_EXPORTED: Final = 20_000


def show() -> None:
    """Show filters, figures and the newest decisions."""
    show_filters((_FIGURES, _DECISIONS))
    _figures()
    _decisions()


@live_fragment(tables=(tables.DAILY,), varies_by=("user", FILTERS), key=_FIGURES)
def _figures() -> None:
    if not days_are_loaded(first_of_last_month(today())):
        return
    filters = current_filters()
    applied = summable(filters)
    html.show(figures_html(outlook_of(applied)))
    if len(applied) < len(filters):
        ignored = ", ".join(as_label(describe(one)) for one in filters if one not in applied)
        st.caption(f"The figures are filtered by provider, model, route and person, but not by {ignored}.")


@live_fragment(
    tables=(tables.METRICS, "users"),
    varies_by=("user", "role", "time_zone", "language", FILTERS),
    key=_DECISIONS,
)
def _decisions() -> None:
    if (reason := refusal(tables.METRICS)) is not None:
        st.error(as_label(f"The database cannot filter like this: {reason}"), icon=":material/error:")
        return
    newest = newest_first(tables.metrics())
    if newest:
        _table(newest)
        _export(newest)
    elif is_loading(tables.METRICS):
        st.caption("Loading…")
    elif current_filters():
        layout.empty("🧭", "Nothing passes these filters", "Matching decisions appear here as they are made.")
    else:
        layout.empty(
            "🧭", "Nothing was routed yet", "Decisions of your programs appear here as they are made."
        )
        publish.show()


def newest_first(metrics: Snapshot[RoutingMetric]) -> Sequence[RoutingMetric]:
    """Return the newest loaded decisions, as many as the page shows; sorted once a snapshot."""
    return metrics.derived("newest first", _sorted)


def _sorted(rows: Rows[RoutingMetric]) -> list[RoutingMetric]:
    return sorted(rows.values(), key=lambda row: (row.timestamp, row.id), reverse=True)[:NEWEST]


def _table(newest: Sequence[RoutingMetric]) -> None:
    metrics, users, region = tables.metrics(), session.users(), session.region()
    admin, day = session.is_admin(), today_in(region.zone)
    key = ("routed", metrics, users if admin else None, region, day)
    viewer = Viewer(region, day, finder(users) if admin else None)
    html.show(shared_html(key, lambda: decisions_html(newest, viewer)))
    passing = " that pass" if current_filters() else ""
    st.caption(f"The newest {plural(len(newest), 'decision')}{passing}. New ones appear as they are made.")


def _export(newest: Sequence[RoutingMetric]) -> None:
    # Streamlit makes the files on demand and outside the session, so the function holds all that it needs.
    me, conditions = session.signed_in(), postgrest_conditions()

    def all_that_pass() -> Sequence[RoutingMetric]:
        if me is None:
            return newest
        # An unreachable database fails the download: a part of the decisions could be taken for all of them.
        found = metric_calls.newest(me, conditions, _MOST_EXPORTED)
        return [RoutingMetric.from_record(record) for record in found]

    with st.container(horizontal=True):
        st.download_button(
            "Export CSV", lambda: export.as_csv(all_that_pass()), "routing.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
            help=f"All decisions that pass the filters, the newest {_MOST_EXPORTED:,} at most",
        )  # fmt: skip
        st.download_button(
            "Export JSON", lambda: export.as_json(all_that_pass()), "routing.json", "application/json",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
