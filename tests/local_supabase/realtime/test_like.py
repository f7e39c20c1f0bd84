"""The matcher of `like` agrees with Postgres, and its cost has a bound."""

import re

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_supabase.realtime.like import TooCostlyError, UnfinishedEscapeError, check_pattern, like

PATTERNS = st.text("ab%_\\\n", max_size=12).filter(lambda text: len(text) - len(text.rstrip("\\")) in (0, 2))
VALUES = st.text("ab%_\\\n", max_size=12)


def by_backtracking(pattern: str, value: str) -> bool:
    """Match with a regular expression, which is right but can take for ever."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.fullmatch("".join(wild.get(p, re.escape(p[-1])) for p in parts), value, re.DOTALL) is not None


@given(PATTERNS, VALUES)
def test_it_decides_as_a_regular_expression_does(pattern: str, value: str) -> None:
    assert like(pattern, value) is by_backtracking(pattern, value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PATTERNS, VALUES), min_size=20, max_size=20))
async def test_it_decides_as_postgres_does(sql: asyncpg.Connection, pairs: list[tuple[str, str]]) -> None:
    patterns, values = zip(*pairs, strict=True)
    expected = await sql.fetch(
        "select value like pattern from unnest($1::text[], $2::text[]) as q(pattern, value)", patterns, values
    )
    assert [like(pattern, value) for pattern, value in pairs] == [row[0] for row in expected]


def test_a_pattern_that_makes_regular_expressions_backtrack_is_decided_at_once() -> None:
    assert not like("%a" * 200 + "%b", "a" * 100_000)
    assert like("%a" * 200 + "%b", "a" * 100_000 + "b")


def test_what_would_take_long_is_not_begun() -> None:
    pattern = "%" + "a" * 500 + "_b"
    assert not like(pattern, "a" * 100)
    with pytest.raises(TooCostlyError):
        like(pattern, "a" * 1_000_000)


@pytest.mark.parametrize("pattern", ["\\", "%x\\", "\\\\\\"])
def test_an_escape_at_the_end_is_an_error(pattern: str) -> None:
    with pytest.raises(UnfinishedEscapeError, match="must not end with escape character"):
        check_pattern(pattern)


def test_an_escaped_backslash_may_end_a_pattern() -> None:
    check_pattern("x\\\\")
    assert like("x\\\\", "x\\")
