"""The filters on decisions: kept in the address, applied by the server, described in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

import streamlit as st

from db.routing.models import RoutingDay
from livetables.errors import FilterError
from livetables.running_session import choose
from livetables.tables.filters import (
    Filter,
    Operator,
    check,
    format_filters,
    parse,
)
from livetables.tables.matching import matches
from realtime_handlers.routing import METRIC_COLUMNS
from ui.base import address, session
from ui.base.people import name_of
from ui.base.text import as_label, shortened
from ui.routing.tables import METRICS

FILTERS: Final = "routing_filters"
"""The session's filters."""

_PARAMETER: Final = "filter"
_SIGNS: Final[Mapping[Operator, str]] = {
    Operator.EQ: "=",
    Operator.NEQ: "≠",
    Operator.GT: ">",
    Operator.GTE: "≥",
    Operator.LT: "<",
    Operator.LTE: "≤",
    Operator.IN: "in",
    Operator.IS: "is",
}
_LABELS: Final[Mapping[str, str]] = {
    "user_id": "Person",
    "latency_ms": "Latency (ms)",
    "cost": "Cost ($)",
    "timestamp": "Time (UTC)",
    "auto_route": "Routed automatically",
    "request_id": "Request",
    "error_kind": "Error",
    "fallback_from": "Fallback from",
}
_SUMMED: Final = frozenset({"provider", "model", "route", "user_id"})
"""The columns that the sums of days have too."""


def current_filters() -> tuple[Filter, ...]:
    """Return the filters of this session."""
    return cast("tuple[Filter, ...]", st.session_state.get(FILTERS, ()))


def read_address() -> None:
    """Take the filters from the address, and have the server apply them. Call it in every run of the page."""
    try:
        filters = check(parse(address.read(_PARAMETER) or ""), METRIC_COLUMNS)
    except FilterError as error:
        st.warning(
            as_label(f"The filter in the address is ignored. {error}"), icon=":material/filter_alt_off:"
        )
        filters = ()
    st.session_state[FILTERS] = filters
    choose(METRICS, filters)


def set_filters(filters: Iterable[Filter]) -> None:
    """Have the server apply these filters, and write them to the address.

    Raises:
        FilterError: A value does not fit its column, or there are too many filters.
    """
    checked = check(tuple(dict.fromkeys(filters)), METRIC_COLUMNS)
    choose(METRICS, checked)
    st.session_state[FILTERS] = checked
    address.write(_PARAMETER, format_filters(checked) if checked else None)


def column_label(column: str) -> str:
    """Return a column's name for people."""
    return _LABELS.get(column, column.replace("_", " ").capitalize())


def describe(one: Filter) -> str:
    """Describe a filter in words: `Cost ($) > 0.01`."""
    values = [_value_label(one.column, value) for value in one.values]
    sign = _SIGNS.get(one.operator, one.operator)
    negated = f"not {sign}" if one.negate else sign
    return f"{column_label(one.column)} {negated} {', '.join(shortened(value, 40) for value in values)}"


def _value_label(column: str, value: str) -> str:
    person = session.users().get((value,)) if column == "user_id" else None
    return name_of(person) if person else value


def summable(filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """Return the filters that apply to the sums of days too."""
    return tuple(one for one in filters if one.column in _SUMMED)


def keep_days(days: Iterable[RoutingDay], filters: Sequence[Filter]) -> list[RoutingDay]:
    """Return the sums of days that pass `summable` filters."""
    return [row for row in days if not filters or matches(filters, _record(row), METRIC_COLUMNS)]


def _record(row: RoutingDay) -> Mapping[str, object]:
    return {"provider": row.provider, "model": row.model, "route": row.route, "user_id": row.user_id}


def postgrest_conditions() -> list[tuple[str, str, str]]:
    """Return the session's filters as PostgREST takes them: column, operator, value."""
    return [(one.column, one.verb, one.criterion) for one in current_filters()]
