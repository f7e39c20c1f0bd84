import pytest

from local_supabase.rest.errors import RestError
from local_supabase.rest.query.query_string import parse_query
from local_supabase.rest.query.ranges import Window
from local_supabase.rest.query.syntax import Compare, Field, Filter


def test_parameters_are_sorted_by_their_purpose() -> None:
    query = parse_query(
        "select=id&id=eq.1&tasks.name=eq.x&order=id&tasks.limit=2&tasks.offset=1&limit=5&columns=a"
    )
    assert query.filters == (
        ((), Filter(Field("id"), Compare("eq", "1"))),
        (("tasks",), Filter(Field("name"), Compare("eq", "x"))),
    )
    assert dict(query.windows) == {("tasks",): Window(1, 2), (): Window(0, 5)}
    assert query.columns == ("a",)
    assert query.filter_names == {"id", "tasks.name"}


def test_all_columns_are_selected_by_default() -> None:
    assert [item.field.name for item in parse_query("").select if hasattr(item, "field")] == ["*"]


def test_encoded_text_is_decoded_once() -> None:
    (_, found), *_ = parse_query("name=eq.a%2Bb+c%25").filters
    assert found.operation == Compare("eq", "a+b c%")


def test_arguments_of_a_function_are_distinguished_from_filters() -> None:
    query = parse_query("a=1&b=eq.2&d=not%20really&limit=1", arguments=True)
    assert query.arguments == (("a", "1"), ("d", "not really"))
    assert [path for path, _ in query.filters] == [()]


def test_a_value_that_starts_like_a_filter_is_no_argument() -> None:
    with pytest.raises(RestError, match="PGRST100"):
        parse_query("a=in.5", arguments=True)


def test_the_gateways_key_is_not_a_filter() -> None:
    assert parse_query("apikey=abc&id=eq.1").canonical == "id=eq.1"


def test_the_canonical_form_is_sorted() -> None:
    assert parse_query("b=eq.2&a=eq.1 x").canonical == "a=eq.1+x&b=eq.2"
