from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from local_supabase.storage.ranges import Precondition, Span, UnsatisfiableError, check_conditions, read_range

ETAG = '"abc"'
MODIFIED = datetime(2026, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)
EARLIER = format_datetime(MODIFIED - timedelta(hours=1), usegmt=True)
SAME = format_datetime(MODIFIED, usegmt=True)


def _range(value: str, total: int = 10, **more: str) -> Span | None:
    headers = Headers({"range": value, **{name.replace("_", "-"): text for name, text in more.items()}})
    return read_range(headers, total, ETAG, MODIFIED)


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [("bytes=0-3", 0, 3), ("bytes=4-", 4, 9), ("bytes=-3", 7, 9), ("bytes=5-99", 5, 9), ("bytes=-99", 0, 9)],
)
def test_one_range_is_a_span(value: str, first: int, last: int) -> None:
    assert _range(value) == Span(first, last, 10)


@pytest.mark.parametrize(
    "value", ["", "bytes=", "bytes=-", "bytes=3-1", "bytes=0-1,4-5", "lines=0-1", "bytes=a-b"]
)
def test_anything_else_means_the_whole(value: str) -> None:
    assert _range(value) is None


@pytest.mark.parametrize(
    ("value", "total"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_a_range_beyond_the_file_cannot_be_satisfied(value: str, total: int) -> None:
    with pytest.raises(UnsatisfiableError):
        _range(value, total)


def test_a_range_of_another_version_means_the_whole() -> None:
    assert _range("bytes=0-1", if_range=ETAG) == Span(0, 1, 10)
    assert _range("bytes=0-1", if_range='"other"') is None
    assert _range("bytes=0-1", if_range=SAME) == Span(0, 1, 10)
    assert _range("bytes=0-1", if_range=EARLIER) is None


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, Precondition.SEND),
        ({"if-none-match": ETAG}, Precondition.NOT_MODIFIED),
        ({"if-none-match": 'W/"abc", "x"'}, Precondition.NOT_MODIFIED),
        ({"if-none-match": "*"}, Precondition.NOT_MODIFIED),
        ({"if-none-match": '"x"', "if-modified-since": SAME}, Precondition.SEND),
        ({"if-modified-since": SAME}, Precondition.NOT_MODIFIED),
        ({"if-modified-since": EARLIER}, Precondition.SEND),
        ({"if-modified-since": "yesterday"}, Precondition.SEND),
        ({"if-match": ETAG}, Precondition.SEND),
        ({"if-match": '"x"'}, Precondition.PRECONDITION_FAILED),
        ({"if-unmodified-since": EARLIER}, Precondition.PRECONDITION_FAILED),
        ({"if-unmodified-since": SAME}, Precondition.SEND),
    ],
)
def test_conditions_are_checked(headers: dict[str, str], verdict: Precondition) -> None:
    assert check_conditions(Headers(headers), ETAG, MODIFIED) is verdict


@given(st.text(st.characters(codec="latin-1")), st.integers(0, 1000))
def test_a_span_lies_within_the_file(value: str, total: int) -> None:
    try:
        span = _range(f"bytes={value}", total)
    except UnsatisfiableError:
        return
    assert span is None or 0 <= span.first <= span.last < total
