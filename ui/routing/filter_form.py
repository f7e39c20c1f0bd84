"""The form that adds a filter, and the chips that remove one."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import streamlit as st

from livetables.errors import FilterError
from livetables.tables.column_types import ColumnType
from livetables.tables.filters import Filter, Operator
from realtime_handlers.routing import METRIC_COLUMNS
from ui.base import session
from ui.base.people import by_name, option_of
from ui.base.text import as_label
from ui.routing.filters import (
    column_label,
    current_filters,
    describe,
    set_filters,
)

FORM: Final = "routing_choose"
"""The key of the fragment."""

_COLUMN: Final = "routing_filter_column"
_OPERATOR: Final = "routing_filter_operator"
_VALUE: Final = "routing_filter_value"
_ERROR: Final = "routing_filter_error"
_OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.EQ: "equals",
    Operator.NEQ: "does not equal",
    Operator.GT: "is greater than",
    Operator.GTE: "is at least",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.IN: "is one of",
    Operator.IS: "is",
}
_EXAMPLES: Final[Mapping[ColumnType, str]] = {
    ColumnType.TEXT: "gemini",
    ColumnType.INTEGER: "100",
    ColumnType.NUMBER: "0.01",
    ColumnType.TIME: "2026-11-21 12:00",
    ColumnType.BOOLEAN: "true",
    ColumnType.UUID: "",
}


@st.fragment(key=FORM)
def show_filters(dependents: Sequence[str]) -> None:
    """Show the filters and the form for one more; a change reruns this fragment and its dependents."""
    fragments = (FORM, *dependents)
    with (
        st.expander("Filter", icon=":material/filter_alt:", key="routing_filter"),
        st.container(key="routing_filters_form", horizontal=True, vertical_alignment="bottom"),
    ):
        column = st.selectbox("Filter by", _columns(), key=_COLUMN, format_func=column_label)
        operator = st.selectbox(
            "Condition", list(_OPERATORS), key=_OPERATOR, format_func=_OPERATORS.__getitem__
        )
        _value_widget(column, operator)
        st.button(
            "Add filter", icon=":material/filter_alt:", on_click=_add, args=(fragments,),
            key="routing_filter_add",
        )  # fmt: skip
    if error := st.session_state.get(_ERROR):
        st.error(as_label(error), icon=":material/error:")
    _chips(fragments)


def _columns() -> list[str]:
    return [column for column in METRIC_COLUMNS if column != "user_id" or session.is_admin()]


def _value_key(column: str, operator: Operator) -> str:
    """Return the key of the value's widget. Each kind of widget has its own, because their values differ."""
    kind = METRIC_COLUMNS[column]
    if operator is Operator.IS:
        return f"{_VALUE}_is"
    if operator is Operator.IN:
        return _VALUE
    return {ColumnType.BOOLEAN: f"{_VALUE}_flag", ColumnType.UUID: f"{_VALUE}_person"}.get(kind, _VALUE)


def _value_widget(column: str, operator: Operator) -> None:
    kind, key = METRIC_COLUMNS[column], _value_key(column, operator)
    if operator is Operator.IS:
        st.selectbox("Value", ["null", "true", "false"], key=key)
    elif key == _VALUE:
        example = "a, b, c" if operator is Operator.IN else _EXAMPLES[kind]
        st.text_input("Value", key=key, placeholder=example)
    elif kind is ColumnType.BOOLEAN:
        st.selectbox("Value", ["true", "false"], key=key)
    else:
        people = {user.id: option_of(user) for user in by_name(session.users())}
        st.selectbox("Value", list(people), key=key, format_func=lambda one: people.get(one, one))


def _add(fragments: Sequence[str]) -> None:
    column, operator = st.session_state[_COLUMN], st.session_state[_OPERATOR]
    text = str(st.session_state.get(_value_key(column, operator)) or "").strip()
    try:
        if not text:
            raise FilterError("Enter a value to compare with.")
        one = Filter(column, operator, tuple(split_list(text)) if operator is Operator.IN else text)
    except FilterError as error:
        st.session_state[_ERROR] = str(error)
        return
    if _VALUE in st.session_state:
        st.session_state[_VALUE] = ""
    _apply([*current_filters(), one], fragments)


def _apply(filters: Iterable[Filter], fragments: Sequence[str]) -> None:
    try:
        set_filters(filters)
    except FilterError as error:
        st.session_state[_ERROR] = str(error)
        return
    st.session_state.pop(_ERROR, None)
    st.rerun(list(fragments))


def split_list(text: str) -> list[str]:
    """Split values at commas; a value that contains a comma stands in double quotes."""
    (row,) = csv.reader([" ".join(text.split())], skipinitialspace=True)
    return [value for each in row if (value := each.strip())]


def _chips(fragments: Sequence[str]) -> None:
    filters = current_filters()
    if not filters:
        return
    with st.container(key="routing_chips", horizontal=True):
        for number, one in enumerate(filters):
            others = [*filters[:number], *filters[number + 1 :]]
            st.button(
                as_label(describe(one)), key=f"routing_chip_{number}", icon=":material/close:",
                help="Remove this filter", on_click=_apply, args=(others, fragments),
            )  # fmt: skip
        if len(filters) > 1:
            st.button(
                "Clear all", type="tertiary", key="routing_clear", on_click=_apply, args=([], fragments)
            )
