"""Filters decided here: as Postgres decides them."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.errors import FilterError
from live.filters import Filter, Operator, parse
from live.kinds import Kind
from live.matching import like, matches
from local_supabase.runtime import StackInfo

COLUMNS = {"text": Kind.TEXT, "number": Kind.NUMBER, "moment": Kind.TIME, "yes": Kind.BOOLEAN}
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
        ("yes=is.not_there", None),
        ("yes=eq.false", False),
        ("yes=not.is.null", True),
        ("number=gt.0.01,text=eq.other", False),
        ("other=eq.1", False),
    ],
)
def test_a_record_passes(text: str, passes: bool | None) -> None:
    if passes is None:
        with pytest.raises(ValueError, match="is"):
            parse(text)
        return
    assert matches(parse(text), ROW, COLUMNS) is passes


@pytest.mark.parametrize("condition", ["eq.a", "not.eq.a", "in.(a)", "not.in.(a)", "like.%", "gt.a"])
def test_null_passes_nothing_but_is(condition: str) -> None:
    assert not matches(parse(f"text={condition}"), EMPTY, COLUMNS)
    assert matches(parse("text=is.null"), EMPTY, COLUMNS)


@pytest.fixture(scope="module")
def cursor(stack: StackInfo) -> Iterator["psycopg2.extensions.cursor"]:
    with closing(psycopg2.connect(stack.database_url)) as database:
        yield database.cursor()


@given(st.lists(st.tuples(st.text("ab%_\\é", max_size=6), st.text("ab%_\\é", max_size=6)), max_size=20))
def test_patterns_are_those_of_postgres(
    cursor: "psycopg2.extensions.cursor", pairs: list[tuple[str, str]]
) -> None:
    fit = [(text, pattern) for text, pattern in pairs if _whole(pattern)]
    for text, pattern in fit:
        cursor.execute("select %s like %s", (text, pattern))
        assert cursor.fetchone() == (like(text, pattern),)


def _whole(pattern: str) -> bool:
    try:
        return Filter("text", Operator.LIKE, pattern).value == pattern
    except FilterError:
        return False


def test_a_pattern_of_many_wildcards_comes_to_an_end() -> None:
    assert not like("a" * 2000, "%a" * 300 + "%b")
