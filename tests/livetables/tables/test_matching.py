"""Filters applied in this process give the same result as in Postgres."""

import re
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetables.errors import FilterError
from livetables.tables.column_types import ColumnType
from livetables.tables.filters import Filter, Operator, parse
from livetables.tables.matching import like, matches
from local_supabase.stack.runtime import StackInfo

COLUMNS = {
    "text": ColumnType.TEXT,
    "number": ColumnType.NUMBER,
    "moment": ColumnType.TIME,
    "yes": ColumnType.BOOLEAN,
}
ROW = {"text": "Gemini", "number": 0.02, "moment": "2026-01-31T12:00:00+00:00", "yes": True}
EMPTY = dict.fromkeys(ROW)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("text=eq.Gemini", True),
        ("text=neq.Gemini", False),
        ("text=in.(a,Gemini)", True),
        ("text=not.in.(a,b)", True),
        ("text=like.G%", True),
        ("text=like.g%", False),
        ("text=ilike.g_MINI", True),
        ("text=gt.G", True),
        ("number=gt.0.01", True),
        ("number=gte.2e-2", True),
        ("number=lt.0.020", False),
        ("number=lte.0.020", True),
        ("number=not.eq.0.02", False),
        ("moment=gte.2026-01-31T13:00:00+01:00", True),
        ("moment=gt.2026-01-31", True),
        ("yes=is.true", True),
        ("yes=eq.false", False),
        ("yes=not.is.null", True),
        ("number=gt.0.01,text=eq.other", False),
        ("other=eq.1", False),
    ],
)
def test_a_record_passes_or_not(text: str, passes: bool) -> None:
    assert matches(parse(text), ROW, COLUMNS) is passes


@pytest.mark.parametrize("condition", ["eq.a", "not.eq.a", "in.(a)", "not.in.(a)", "like.%", "gt.a"])
def test_null_passes_only_is(condition: str) -> None:
    assert not matches(parse(f"text={condition}"), EMPTY, COLUMNS)
    assert matches(parse("text=is.null"), EMPTY, COLUMNS)


@pytest.fixture(scope="module")
def cursor(stack: StackInfo) -> Iterator["psycopg2.extensions.cursor"]:
    with closing(psycopg2.connect(stack.database_url)) as database:
        yield database.cursor()


@given(st.lists(st.tuples(st.text("ab%_\\é", max_size=6), st.text("ab%_\\é", max_size=6)), max_size=20))
def test_patterns_match_as_in_postgres(
    cursor: "psycopg2.extensions.cursor", pairs: list[tuple[str, str]]
) -> None:
    for text, pattern in [pair for pair in pairs if _is_valid(pair[1])]:
        cursor.execute("select %s like %s", (text, pattern))
        assert cursor.fetchone() == (like(text, pattern),)


def _is_valid(pattern: str) -> bool:
    try:
        return Filter("text", Operator.LIKE, pattern).value == pattern
    except FilterError:
        return False


def test_a_pattern_of_many_wildcards_is_matched_in_reasonable_time() -> None:
    assert not like("a" * 2000, "%a" * 300 + "%b")


@given(st.text("ab%_\\\n", max_size=12), st.text("ab%_\\\n", max_size=12))
def test_a_pattern_matches_as_a_regular_expression_does(text: str, pattern: str) -> None:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(part, re.escape(part[-1])) for part in parts)
    assert like(text, pattern) is (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_a_pattern_that_would_backtrack_for_ever_is_decided() -> None:
    assert not like("a" * 1_000_000, "%" + "a" * 10_000 + "b")
    assert not like("a" * 100_000, "%a" * 500 + "%b")
