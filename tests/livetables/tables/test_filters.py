"""Filters: their text form, what is refused, and that Realtime and PostgREST parse them alike."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetables.errors import FilterError
from livetables.tables.column_types import ColumnType
from livetables.tables.filters import (
    Filter,
    Operator,
    canonical,
    check,
    format_filters,
    parameters,
    parse,
)
from local_supabase.realtime import filters as realtime
from local_supabase.rest.query.filters import parse_filter
from local_supabase.rest.query.syntax import In

COLUMNS = {
    "provider": ColumnType.TEXT,
    "cost": ColumnType.NUMBER,
    "tokens": ColumnType.INTEGER,
    "created_at": ColumnType.TIME,
    "fallback": ColumnType.BOOLEAN,
    "user_id": ColumnType.UUID,
}
COMPARING = [one for one in Operator if one not in (Operator.IN, Operator.IS, Operator.LIKE, Operator.ILIKE)]

values = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8
) | st.sampled_from(
    ["a,b", "a)", "(", '"', "\\", '\\"', " a ", "null", "not.eq.1", "é%", "{x}", "a=eq.b", "\n"]
)
columns = st.sampled_from(sorted(COLUMNS))
filters = st.one_of(
    st.builds(Filter, columns, st.sampled_from(COMPARING), values, st.booleans()),
    st.builds(
        Filter,
        columns,
        st.just(Operator.IN),
        st.lists(values, min_size=1, max_size=4).map(tuple),
        st.booleans(),
    ),
    st.builds(
        Filter,
        columns,
        st.just(Operator.IS),
        st.sampled_from(["null", "true", "false", "unknown"]),
        st.booleans(),
    ),
)


@given(st.lists(filters, max_size=4))
def test_formatting_and_parsing_are_inverse(some: list[Filter]) -> None:
    assert parse(format_filters(some)) == tuple(some)


@given(filters, filters)
def test_realtime_parses_the_same(one: Filter, other: Filter) -> None:
    parsed = realtime.parse(format_filters([one, other]))
    assert [(each.column, each.operator.value, each.negate) for each in parsed] == [
        (each.column, each.operator.value, each.negate) for each in (one, other)
    ]
    for each, clause in zip((one, other), parsed, strict=True):
        if each.operator is not Operator.IN:
            assert clause.value == each.value


@given(filters)
def test_postgrest_parses_the_same(one: Filter) -> None:
    [(column, condition)] = parameters([one])
    _, parsed = parse_filter(column, condition)
    assert parsed.negated == one.negate
    match parsed.operation:
        case In(parsed_values):
            assert parsed_values == one.value
        case operation:
            assert getattr(operation, "value", one.value) == one.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("  ", ()),
        ("provider=eq.gemini", (Filter("provider", Operator.EQ, "gemini"),)),
        (
            "cost=gt.0.01, provider=in.(a, b)",
            (Filter("cost", Operator.GT, "0.01"), Filter("provider", Operator.IN, ("a", "b"))),
        ),
        ('provider=not.eq."a,b"', (Filter("provider", Operator.EQ, "a,b", True),)),
        ("provider=eq.f(a,b)", (Filter("provider", Operator.EQ, "f(a,b)"),)),
        ("fallback=is.TRUE", (Filter("fallback", Operator.IS, "true"),)),
        ("provider=like.ge*", (Filter("provider", Operator.LIKE, "ge%"),)),
        ('provider=in.("a,\\"b","")', (Filter("provider", Operator.IN, ('a,"b', "")),)),
    ],
)
def test_the_text_form(text: str, expected: tuple[Filter, ...]) -> None:
    assert parse(text, COLUMNS) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("provider", "'provider' is not a filter; write column=eq.value"),
        ("provider=eq.a,", "is not a filter"),
        ("provider=equals.a", "provider: there is no operator 'equals'; the operators are eq, neq"),
        ("provider=eq", "provider: `eq` needs a value"),
        ("provider=in.a", "provider: put the values of `in` in parentheses"),
        ("provider=in.()", "provider: `in` needs at least one value"),
        ("provider=in.(null)", "provider: the value 'null' in a list needs quotes"),
        ("provider=in.(a", "A parenthesis is not closed"),
        ('provider=eq."a', "A quote is not closed"),
        ('provider=eq."a"b', "provider: there is text after the closing quote"),
        ("provider=is.gemini", "provider: `is` takes null, true, false or unknown, not 'gemini'"),
        ("provider=is.true", "provider is text: `is` can only compare it with null"),
        ("provider=like.a\\", "provider: a pattern cannot end with a backslash"),
        ("cost=like.1%", "cost is a number: `like` only compares text"),
        ("cost=gt.much", "cost: 'much' is not a number"),
        ("cost=gt.NaN", "cost: 'NaN' is not a number"),
        ("tokens=eq.1.5", "tokens: '1.5' is not a whole number"),
        ("tokens=in.(1,99999999999999999999)", "is not a whole number"),
        ("created_at=gt.yesterday", "created_at: 'yesterday' is not a date or a time"),
        ("fallback=eq.maybe", "fallback: 'maybe' is not true or false"),
        ("user_id=eq.7", "user_id: '7' is not an id"),
        ("prompt=eq.a", "There is no column 'prompt' to filter by; the columns are cost, created_at"),
        ("a b=eq.1", "'a b' is not a column name"),
        ("provider=eq." + "x" * 1001, "at most 1000 characters"),
        (f"tokens=in.({','.join(['1'] * 101)})", "at most 100 values"),
        (",".join(["cost=gt.1"] * 21), "At most 20 conditions"),
    ],
)
def test_an_error_names_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(text, COLUMNS)
    assert message in str(refused.value)


def test_filters_are_built_from_python_values() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    made = [
        Filter.of("cost", Operator.GT, Decimal("0.01")),
        Filter.of("fallback", Operator.EQ, True),
        Filter.of("created_at", Operator.GTE, noon),
        Filter.of("tokens", Operator.IN, [1, 2]),
        Filter.of("provider", Operator.IS, None, negate=True),
    ]
    assert format_filters(check(made, COLUMNS)) == (
        "cost=gt.0.01,fallback=eq.true,created_at=gte.2026-01-31T12:00:00+00:00,tokens=in.(1,2),"
        "provider=not.is.null"
    )


def test_only_in_takes_a_list() -> None:
    with pytest.raises(FilterError, match="only `in`"):
        Filter("provider", Operator.EQ, ("a",))
    with pytest.raises(FilterError, match="only `in`"):
        Filter("provider", Operator.IN, "a")


def test_the_same_conditions_are_equal_in_any_order() -> None:
    assert canonical(parse("cost=gt.1,provider=eq.a")) == canonical(
        parse("provider=eq.a,cost=gt.1,cost=gt.1")
    )
