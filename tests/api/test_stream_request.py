"""The tables and filters of a stream are read, or refused by the name of their parameter."""

import pytest

from api.errors import InvalidInputError
from api.stream_request import STREAMABLE, read_selection
from livetables.tables.filters import parse


def test_a_filter_without_a_table_is_for_the_only_table() -> None:
    assert read_selection("users", ["role=eq.admin"]) == {"users": tuple(parse("role=eq.admin"))}


def test_filters_belong_to_their_tables() -> None:
    selection = read_selection(" users, events,users", ["users:role=eq.admin", "users:bio=is.null"])
    assert list(selection) == ["users", "events"]
    assert selection["users"] == (*parse("role=eq.admin"), *parse("bio=is.null"))
    assert selection["events"] == ()


def test_the_log_of_changes_is_not_streamable() -> None:
    assert "change_log" not in STREAMABLE
    assert {"users", "agent_runs", "private_messages"} <= STREAMABLE.keys()


@pytest.mark.parametrize(
    ("tables", "filters", "parameter"),
    [
        ("", [], "tables"),
        ("change_log", [], "tables"),
        ("users,events", ["role=eq.admin"], "filter"),
        ("users", ["events:title=eq.x"], "filter"),
        ("users", ["select=eq.x"], "filter"),
        ("users", ["role"], "filter"),
        ("users", ["bio=eq." + "x" * 2_000], "filter"),
        ("users", ["role=eq.a"] * 200, "filter"),
    ],
)
def test_invalid_parameters_are_named(tables: str, filters: list[str], parameter: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_selection(tables, filters)
    (field,) = refused.value.fields
    assert (field.place, field.field) == ("query", parameter)
