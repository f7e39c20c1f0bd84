"""Filters on routing decisions: chosen on the page, kept in the address, applied by the server."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from db.routing_models import RoutingDay
from live.errors import FilterError
from live.filters import Filter, Operator, check, format_filters, parse
from live.kinds import Kind
from live.matching import matches
from live.sessions import choose
from realtime_handlers.routing_metrics import COLUMNS
from ui import session
from ui.people import by_name, name_of
from ui.routing_tables import METRICS
from ui.text import as_label, shortened

PARAMETER = "filter"
FILTERS = "routing_filters"
_ERROR = "routing_filter_error"
_VALUE = "routing_filter_value"
_OPERATORS: Mapping[Operator, str] = {
    Operator.EQ: "equals",
    Operator.NEQ: "does not equal",
    Operator.GT: "is greater than",
    Operator.GTE: "is at least",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.IN: "is one of",
    Operator.IS: "is",
}
_SIGNS: Mapping[Operator, str] = {
    Operator.EQ: "=",
    Operator.NEQ: "≠",
    Operator.GT: ">",
    Operator.GTE: "≥",
    Operator.LT: "<",
    Operator.LTE: "≤",
    Operator.IN: "in",
    Operator.IS: "is",
}
_LABELS: Mapping[str, str] = {
    "user_id": "Person",
    "latency_ms": "Latency (ms)",
    "cost": "Cost ($)",
    "timestamp": "Time (UTC)",
    "auto_route": "Routed automatically",
    "request_id": "Request",
    "error_kind": "Error",
    "fallback_from": "Fallback from",
}
_HINTS: Mapping[Kind, str] = {
    Kind.TEXT: "gemini",
    Kind.INTEGER: "100",
    Kind.NUMBER: "0.01",
    Kind.TIME: "2026-11-21 12:00",
    Kind.BOOLEAN: "true",
    Kind.UUID: "",
}
_SUMMED = frozenset({"provider", "model", "route", "user_id"})
"""Columns that the sums of days have too."""


def chosen() -> tuple[Filter, ...]:
    """Return the filters of this session."""
    filters: tuple[Filter, ...] = st.session_state.get(FILTERS, ())
    return filters


def begin() -> None:
    """Take the filters from the address, and have the server apply them. Call it on every run of the page."""
    try:
        filters = check(parse(st.query_params.get(PARAMETER, "")), COLUMNS)
    except FilterError as error:
        st.warning(
            as_label(f"The filter in the address is left out. {error}"), icon=":material/filter_alt_off:"
        )
        filters = ()
    st.session_state[FILTERS] = filters
    choose(METRICS, filters)


def _set(filters: Sequence[Filter], fragments: Sequence[str]) -> None:
    try:
        checked = check(tuple(dict.fromkeys(filters)), COLUMNS)
        choose(METRICS, checked)
    except FilterError as error:
        st.session_state[_ERROR] = str(error)
        return
    st.session_state[FILTERS] = checked
    st.session_state.pop(_ERROR, None)
    if checked:
        st.query_params[PARAMETER] = format_filters(checked)
    else:
        st.query_params.pop(PARAMETER, None)
    st.rerun(list(fragments))


def show(fragments: Sequence[str]) -> None:
    """Show the filters and the way to one more; a change reruns these fragments, of which this is one."""
    with (
        st.expander("Filter", icon=":material/filter_alt:", key="routing_filter"),
        st.container(key="routing_filters_form", horizontal=True, vertical_alignment="bottom"),
    ):
        column = st.selectbox("Filter by", _columns(), key="routing_filter_column", format_func=label)
        operator = st.selectbox(
            "Condition", list(_OPERATORS), key="routing_filter_operator", format_func=_OPERATORS.__getitem__
        )
        _value(column, operator)
        st.button(
            "Add filter",
            icon=":material/filter_alt:",
            on_click=_add,
            args=(fragments,),
            key="routing_filter_add",
        )
    if error := st.session_state.get(_ERROR):
        st.error(as_label(error), icon=":material/error:")
    _chips(fragments)


def _columns() -> list[str]:
    return [column for column in COLUMNS if column != "user_id" or session.is_admin()]


def label(column: str) -> str:
    """Return what people call a column."""
    return _LABELS.get(column, column.replace("_", " ").capitalize())


def _value(column: str, operator: Operator) -> None:
    """Ask for a value in the way that fits; each way is a widget of its own under a name of its own."""
    kind = COLUMNS[column]
    if operator is Operator.IS:
        st.selectbox("Value", ["null", "true", "false"], key=f"{_VALUE}_is")
    elif kind is Kind.BOOLEAN and operator is not Operator.IN:
        st.selectbox("Value", ["true", "false"], key=f"{_VALUE}_flag")
    elif kind is Kind.UUID and operator is not Operator.IN:
        people = {user.id: name_of(user) for user in by_name(session.users())}
        st.selectbox(
            "Value", list(people), key=f"{_VALUE}_person", format_func=lambda one: people.get(one, one)
        )
    else:
        hint = "a, b, c" if operator is Operator.IN else _HINTS[kind]
        st.text_input("Value", key=_VALUE, placeholder=hint)


def _typed(column: str, operator: Operator) -> str:
    state, kind = st.session_state, COLUMNS[column]
    if operator is Operator.IS:
        return str(state[f"{_VALUE}_is"])
    if operator is not Operator.IN and kind in (Kind.BOOLEAN, Kind.UUID):
        return str(state[f"{_VALUE}_flag" if kind is Kind.BOOLEAN else f"{_VALUE}_person"])
    return str(state.get(_VALUE) or "").strip()


def _add(fragments: Sequence[str]) -> None:
    column, operator = st.session_state["routing_filter_column"], st.session_state["routing_filter_operator"]
    typed = _typed(column, operator)
    try:
        if not typed:
            raise FilterError("Say what to compare with.")
        value = tuple(listed(typed)) if operator is Operator.IN else typed
        one = Filter(column, operator, value)
    except FilterError as error:
        st.session_state[_ERROR] = str(error)
        return
    if _VALUE in st.session_state:
        st.session_state[_VALUE] = ""
    _set([*chosen(), one], fragments)


def listed(text: str) -> list[str]:
    """Read values with commas between them; one with a comma in it stands in double quotes."""
    (row,) = csv.reader([" ".join(text.split())], skipinitialspace=True)
    return [value for each in row if (value := each.strip())]


def _chips(fragments: Sequence[str]) -> None:
    filters = chosen()
    if not filters:
        return
    with st.container(key="routing_chips", horizontal=True):
        for number, one in enumerate(filters):
            rest = [*filters[:number], *filters[number + 1 :]]
            st.button(
                as_label(words(one)),
                key=f"routing_chip_{number}",
                icon=":material/close:",
                help="Remove this filter",
                on_click=_set,
                args=(rest, fragments),
            )
        if len(filters) > 1:
            st.button("Clear all", type="tertiary", key="routing_clear", on_click=_set, args=([], fragments))


def words(one: Filter) -> str:
    """Say a filter as people do: `Cost ($) > 0.01`."""
    values = [_named(one.column, value) for value in one.values]
    sign = (
        f"not {_SIGNS.get(one.operator, one.operator)}"
        if one.negate
        else _SIGNS.get(one.operator, one.operator)
    )
    return f"{label(one.column)} {sign} {', '.join(shortened(value, 40) for value in values)}"


def _named(column: str, value: str) -> str:
    person = session.users().get((value,)) if column == "user_id" else None
    return name_of(person) if person else value


def summable(filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """Return those of the filters that the sums of days can follow."""
    return tuple(one for one in filters if one.column in _SUMMED)


def keep_days(days: Iterable[RoutingDay], filters: Sequence[Filter]) -> list[RoutingDay]:
    """Keep the sums that pass `summable` filters."""
    return [row for row in days if not filters or matches(filters, _record(row), COLUMNS)]


def _record(row: RoutingDay) -> Mapping[str, object]:
    return {"provider": row.provider, "model": row.model, "route": row.route, "user_id": row.user_id}


def conditions() -> list[tuple[str, str, str]]:
    """Return the filters as PostgREST takes them: column, operator, what to compare with."""
    return [(one.column, one.verb, one.criterion) for one in chosen()]
