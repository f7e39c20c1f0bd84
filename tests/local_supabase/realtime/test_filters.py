"""The grammar of filters."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.realtime.filters import Clause, FilterError, Operator, describe, parse


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("", []),
        ("  ", []),
        ("id=eq.1", [("id", "eq", "1", False)]),
        (" id=eq.1 , n=gt.2 ", [("id", "eq", "1", False), ("n", "gt", "2", False)]),
        ("id=not.eq.1", [("id", "eq", "1", True)]),
        ("at=eq.2026-01-01T00:00:00.5", [("at", "eq", "2026-01-01T00:00:00.5", False)]),
        ("a=eq.x=y", [("a", "eq", "x=y", False)]),
        ("id=in.(1,2)", [("id", "in", "{1,2}", False)]),
        ("id=not.in.(1,2),b=is.null", [("id", "in", "{1,2}", True), ("b", "is", "null", False)]),
        ('a=in.("x,y",z)', [("a", "in", '{"x,y",z}', False)]),
        ('a=in.("x)y",z),b=eq.1', [("a", "in", '{"x)y",z}', False), ("b", "eq", "1", False)]),
        ('a=eq."x, y"', [("a", "eq", "x, y", False)]),
        (r'a=eq."say \"hi\", \\ok"', [("a", "eq", r'say "hi", \ok', False)]),
        ('a=eq."open', [("a", "eq", '"open', False)]),
        ('a=eq.say "hi"', [("a", "eq", 'say "hi"', False)]),
        ("a=like.%x%", [("a", "like", "%x%", False)]),
        ("a=eq.", [("a", "eq", "", False)]),
    ],
)
def test_what_is_read(text: str, clauses: list[tuple[str, str, str, bool]]) -> None:
    assert parse(text) == tuple(Clause(c, Operator(o), v, n) for c, o, v, n in clauses)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("undefined", '["undefined"]'),
        ("id=eq", '["eq"]'),
        ("id=foo.hey", '["foo", "hey"]'),
        ("id=not.foo.hey", '["foo", "hey"]'),
        ("id=in.1,2", "`in` filter value must be wrapped by parentheses"),
        ("id=eq.1,,b=eq.2", "filter must not contain empty segments (check for extra commas)"),
        ("id=eq.1,", "filter must not contain empty segments (check for extra commas)"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(FilterError) as refusal:
        parse(text)
    assert str(refusal.value) == message


def test_clauses_are_shown_as_the_server_shows_them() -> None:
    assert describe(parse('id=eq.1,a=not.in.(x,"y")')) == (
        r'[{"id", "eq", "1", false}, {"a", "in", "{x,\"y\"}", true}]'
    )


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    clauses: tuple[Clause, ...] | None = None
    with contextlib.suppress(FilterError):
        clauses = parse(text)
    assert clauses is None or bool(clauses) is bool(text.strip())
