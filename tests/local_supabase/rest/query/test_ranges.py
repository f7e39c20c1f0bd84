import pytest

from local_supabase.rest.errors import RestError
from local_supabase.rest.query.ranges import (
    Window,
    content_range,
    read_status,
    window,
    with_header,
)


@pytest.mark.parametrize(
    ("limit", "offset", "expected"),
    [
        (None, None, Window()),
        ("5", None, Window(0, 5)),
        ("5", "10", Window(10, 5)),
        (None, "10", Window(10)),
        ("x", "y", Window()),
        ("0", None, Window(0, 0)),
        ("5", "-3", Window(0, 5)),
        ("9" * 30, None, Window()),
    ],
)
def test_limit_and_offset_make_a_window(limit: str | None, offset: str | None, expected: Window) -> None:
    assert window(limit, offset) == expected


@pytest.mark.parametrize(
    ("requested", "header", "expected"),
    [
        (Window(), "0-9", Window(0, 10)),
        (Window(), "5-", Window(5)),
        (Window(), "bytes=0-9", Window()),
        (Window(), None, Window()),
        (Window(0, 5), "2-9", Window(2, 3)),
        (Window(0, 0), "2-9", Window(0, 0)),
    ],
)
def test_a_range_header_narrows_the_window(requested: Window, header: str | None, expected: Window) -> None:
    assert with_header(requested, header) == expected


@pytest.mark.parametrize(
    ("requested", "header", "details"),
    [
        (Window(0, -1), None, "Limit should be greater than or equal to zero."),
        (
            Window(),
            "9-5",
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        ),
    ],
)
def test_impossible_ranges_are_refused(requested: Window, header: str | None, details: str) -> None:
    with pytest.raises(RestError) as caught:
        with_header(requested, header)
    assert (caught.value.status, caught.value.code, caught.value.details) == (416, "PGRST103", details)


@pytest.mark.parametrize(
    ("lower", "rows", "total", "status", "header"),
    [
        (0, 5, None, 200, "0-4/*"),
        (0, 0, None, 200, "*/*"),
        (0, 5, 5, 200, "0-4/5"),
        (0, 5, 9, 206, "0-4/9"),
        (5, 4, 9, 206, "5-8/9"),
        (0, 0, 0, 200, "*/0"),
        (9, 0, 9, 206, "*/9"),
        (10, 0, 9, 416, "*/9"),
    ],
)
def test_a_response_states_its_part_of_the_rows(
    lower: int, rows: int, total: int | None, status: int, header: str
) -> None:
    assert read_status(lower, rows, total) == status
    assert content_range(lower, lower + rows - 1, total) == header
