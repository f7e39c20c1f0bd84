import pytest

from local_supabase.rest.errors import RestError
from local_supabase.rest.query.filters import parse_filter, parse_logic, parse_operation
from local_supabase.rest.query.syntax import (
    Compare,
    Distinct,
    Field,
    Filter,
    FullText,
    In,
    Is,
    IsValue,
    Logic,
    Operation,
    Quantifier,
)


@pytest.mark.parametrize(
    ("text", "negated", "operation"),
    [
        ("eq.5", False, Compare("eq", "5")),
        ("not.eq.5", True, Compare("eq", "5")),
        ("eq.", False, Compare("eq", "")),
        ("eq.a.b,c)", False, Compare("eq", "a.b,c)")),
        ("neq.x", False, Compare("neq", "x")),
        ("gte.1", False, Compare("gte", "1")),
        ("match.^a", False, Compare("match", "^a")),
        ("nxr.[1,2)", False, Compare("nxr", "[1,2)")),
        ("like(any).{a*,b*}", False, Compare("like", "{a*,b*}", Quantifier.ANY)),
        ("not.eq(all).{1}", True, Compare("eq", "{1}", Quantifier.ALL)),
        ("isdistinct.5", False, Distinct("5")),
        ("is.null", False, Is(IsValue.NULL)),
        ("is.NOT_NULL", False, Is(IsValue.NOT_NULL)),
        ("not.is.unknown", True, Is(IsValue.UNKNOWN)),
        ("in.(1,2)", False, In(("1", "2"))),
        ("in.()", False, In(("",))),
        ('in.("a,b","c\\"d",e f)', False, In(("a,b", 'c"d', "e f"))),
        ('in.("a"b,c)', False, In(('"a"b', "c"))),
        ("fts.cat", False, FullText("fts", None, "cat")),
        ("wfts(english).a b", False, FullText("wfts", "english", "a b")),
    ],
)
def test_operations_are_parsed(text: str, negated: bool, operation: Operation) -> None:
    assert parse_operation(text) == (negated, operation)


@pytest.mark.parametrize(
    ("text", "column", "details"),
    [
        ("noop.0", 1, 'unexpected "o" expecting "not" or operator (eq, gt, ...)'),
        ("val", 1, 'unexpected "v" expecting "not" or operator (eq, gt, ...)'),
        ("fts().value", 5, 'unexpected ")" expecting operator (eq, gt, ...)'),
        ("eq().value", 4, 'unexpected ")" expecting operator (eq, gt, ...)'),
        ("is().value", 3, 'unexpected "(" expecting operator (eq, gt, ...)'),
        ("in().value", 3, 'unexpected "(" expecting operator (eq, gt, ...)'),
        ("in.1,2", 4, 'unexpected "1" expecting "("'),
    ],
)
def test_a_bad_filter_reports_the_position_and_what_was_expected(
    text: str, column: int, details: str
) -> None:
    with pytest.raises(RestError) as caught:
        parse_filter("id", text)
    assert caught.value.message == f'"failed to parse filter ({text})" (line 1, column {column})'
    assert caught.value.details == details


def _equal(name: str, value: str) -> Filter:
    return Filter(Field(name), Compare("eq", value))


def test_logic_nests_and_negates() -> None:
    path, tree = parse_logic("films.not.or", "(a.eq.1,not.and(b.cs.{1,2},c.in.(3,4)))")
    inner = Logic(
        conjunction=True,
        negated=True,
        parts=(Filter(Field("b"), Compare("cs", "{1,2}")), Filter(Field("c"), In(("3", "4")))),
    )
    assert path == ("films",)
    assert tree == Logic(conjunction=False, negated=True, parts=(_equal("a", "1"), inner))


def test_logic_values_may_be_quoted() -> None:
    _, tree = parse_logic("or", '(a.eq."x,y)",b.eq.z)')
    assert tree == Logic(conjunction=False, negated=False, parts=(_equal("a", "x,y)"), _equal("b", "z")))


@pytest.mark.parametrize(
    ("text", "column", "details"),
    [
        (
            "()",
            4,
            'unexpected ")" expecting field name (* or [a..z0..9_$]), negation operator (not) or '
            "logic operator (and, or)",
        ),
        ("(id.in.1,2,id.eq.3)", 10, 'unexpected "1" expecting "("'),
        (")(", 3, 'unexpected ")" expecting "("'),
        ("(id.eq.1,not.xor(id.eq.2,id.eq.3))", 16, 'unexpected "x" expecting logic operator (and, or)'),
    ],
)
def test_bad_logic_reports_the_position_and_what_was_expected(text: str, column: int, details: str) -> None:
    with pytest.raises(RestError) as caught:
        parse_logic("or", text)
    assert caught.value.message == f'"failed to parse logic tree ({text})" (line 1, column {column})'
    assert caught.value.details == details
