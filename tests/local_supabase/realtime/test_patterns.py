"""Which patterns of filters are refused before they reach Postgres."""

import pytest

from local_supabase.realtime.filters import Clause, Operator
from local_supabase.realtime.patterns import MAX_EXPRESSION, MAX_PATTERN, PatternRefusedError, check


def clause(operator: str, value: str) -> Clause:
    return Clause("body", Operator(operator), value, negate=False)


@pytest.mark.parametrize(
    ("operator", "value", "message"),
    [
        ("match", r"(a)\1", "back references"),
        ("imatch", r"\\(a)\\\1", "back references"),
        ("match", r"(?b)\(a\)[\]\1", "must not choose its syntax"),
        ("match", "(?ie)a", "must not choose its syntax"),
        ("match", "(?x)(a) {9}", "must not choose its syntax"),
        ("match", "***:(a)", "must not choose its syntax"),
        ("match", "a(?=b)", "lookahead"),
        ("match", "(?<!a)b", "lookahead"),
        ("match", "((a{1,50}){1,50})", "multiply to too many"),
        ("match", "(((a|b){9}){9}){9}", "multiply to too many"),
        ("match", "a" * (MAX_EXPRESSION + 1), "at most"),
        ("like", "a" * (MAX_PATTERN + 1), "at most"),
        ("ilike", "%x\\", "must not end with escape"),
    ],
)
def test_what_may_cost_without_a_bound_is_refused(operator: str, value: str, message: str) -> None:
    with pytest.raises(PatternRefusedError, match=message):
        check(clause(operator, value))


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("match", r"^\d{4}-\d{2}-\d{2}$"),
        ("match", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
        ("imatch", r"(?i)\\1|(foo|bar){1,3}"),
        ("match", "(?:a|b)+c*"),
        ("like", "100\\%%"),
        ("eq", "\\"),
        ("match", "("),
    ],
)
def test_usual_patterns_are_left_to_postgres(operator: str, value: str) -> None:
    check(clause(operator, value))
    assert clause(operator, value).value == value
