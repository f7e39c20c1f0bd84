"""Ranges of rows: `limit`, `offset`, the Range header, and the Content-Range of the response."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from local_supabase.rest.errors import bad_range

_HEADER: Final = re.compile(r"([0-9]{1,18})-([0-9]{0,18})")
_NUMBER: Final = re.compile(r"\s*-?[0-9]{1,18}\s*")


@dataclass(frozen=True, slots=True)
class Window:
    """The rows from `offset` on, at most `limit` of them. None is no limit."""

    offset: int = 0
    limit: int | None = None

    @property
    def everything(self) -> bool:
        """Whether the window includes all rows."""
        return self.offset == 0 and self.limit is None

    def at_most(self, rows: int) -> Window:
        """Return this window with at most this number of rows."""
        if self.limit is None or self.limit > rows:
            return Window(self.offset, rows)
        return self


ALL: Final = Window()


def read_number(text: str) -> int | None:
    """Parse a whole number. Like PostgREST, it ignores anything else and returns None."""
    return int(text) if _NUMBER.fullmatch(text) else None


def window(limit: str | None, offset: str | None) -> Window:
    """Return the window of the parameters `limit` and `offset`."""
    rows = read_number(limit) if limit is not None else None
    start = read_number(offset) if offset is not None else None
    return Window(max(start or 0, 0), rows)


def with_header(requested: Window, header: str | None) -> Window:
    """Return the root's window, narrowed by a Range header.

    Raises:
        RestError: PGRST103, the limit is negative, or the range ends before it begins.
    """
    if requested.limit is not None and requested.limit < 0:
        raise bad_range("Limit should be greater than or equal to zero.")
    found = _HEADER.fullmatch(header) if header is not None else None
    if found is None:
        return requested
    lower = int(found[1])
    upper = int(found[2]) if found[2] else None
    if upper is not None and upper < lower:
        raise bad_range(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header."
        )
    if requested.limit == 0:
        return requested
    start = max(lower, requested.offset)
    ends = [
        end
        for end in (upper, None if requested.limit is None else requested.offset + requested.limit - 1)
        if end is not None
    ]
    if not ends:
        return Window(start)
    if min(ends) < start:
        raise bad_range("Limit should be greater than or equal to zero.")
    return Window(start, min(ends) - start + 1)


def content_range(lower: int, upper: int, total: int | None) -> str:
    """Return the value of Content-Range for the rows from `lower` to `upper`, both included."""
    rows = f"{lower}-{upper}" if total != 0 and lower <= upper else "*"
    return f"{rows}/{'*' if total is None else total}"


def read_status(lower: int, rows: int, total: int | None) -> int:
    """Return 200 for all rows, 206 for a part of them, or 416 for an offset behind the last row."""
    if total is None:
        return 200
    if lower > total:
        return 416
    return 206 if rows < total else 200


def out_of_bounds(offset: int, total: int) -> bytes:
    """Return the body of the 416 response to an offset behind the last row."""
    return bad_range(f"An offset of {offset} was requested, but there are only {total} rows.").body()
