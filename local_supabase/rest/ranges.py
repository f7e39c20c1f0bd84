"""Ranges of rows: `limit`, `offset` and the Range header, and the Content-Range that answers them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from local_supabase.rest.errors import bad_range

_HEADER: Final = re.compile(r"([0-9]{1,18})-([0-9]{0,18})")
_NUMBER: Final = re.compile(r"\s*-?[0-9]{1,18}\s*")


@dataclass(frozen=True, slots=True)
class Window:
    """Rows from `offset` on, at most `limit` of them (None: all)."""

    offset: int = 0
    limit: int | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.offset == 0 and self.limit is None

    def at_most(self, rows: int) -> Window:
        """Return this window with no more than so many rows."""
        if self.limit is None or self.limit > rows:
            return Window(self.offset, rows)
        return self


ALL: Final = Window()


def read_number(text: str) -> int | None:
    """Read a whole number; what is not one is ignored, as PostgREST does."""
    return int(text) if _NUMBER.fullmatch(text) else None


def window(limit: str | None, offset: str | None) -> Window:
    """Make a window of a pair of parameters."""
    rows = read_number(limit) if limit is not None else None
    start = read_number(offset) if offset is not None else None
    return Window(max(start or 0, 0), rows)


def with_header(asked: Window, header: str | None) -> Window:
    """Narrow the window of the resource itself by a Range header.

    Raises:
        RestError: PGRST103, the limit is negative, or the range ends before it begins.
    """
    if asked.limit is not None and asked.limit < 0:
        raise bad_range("Limit should be greater than or equal to zero.")
    found = _HEADER.fullmatch(header) if header is not None else None
    if found is None:
        return asked
    lower = int(found[1])
    upper = int(found[2]) if found[2] else None
    if upper is not None and upper < lower:
        raise bad_range(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header."
        )
    if asked.limit == 0:
        return asked
    start = max(lower, asked.offset)
    ends = [
        end
        for end in (upper, None if asked.limit is None else asked.offset + asked.limit - 1)
        if end is not None
    ]
    if not ends:
        return Window(start)
    if min(ends) < start:
        raise bad_range("Limit should be greater than or equal to zero.")
    return Window(start, min(ends) - start + 1)


def content_range(lower: int, upper: int, total: int | None) -> str:
    """Return the value of Content-Range."""
    rows = f"{lower}-{upper}" if total != 0 and lower <= upper else "*"
    return f"{rows}/{'*' if total is None else total}"


def read_status(lower: int, rows: int, total: int | None) -> int:
    """Return 200, 206 for a part of what there is, or 416 for a start behind the end."""
    if total is None:
        return 200
    if lower > total:
        return 416
    return 206 if rows < total else 200


def out_of_bounds(offset: int, total: int) -> bytes:
    """Return the body of a 416."""
    return bad_range(f"An offset of {offset} was requested, but there are only {total} rows.").body()
