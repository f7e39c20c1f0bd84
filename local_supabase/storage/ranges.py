"""Conditions and ranges of a request (RFC 9110, sections 13 and 14)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

from starlette.datastructures import Headers

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Precondition(Enum):
    """The result of a request's conditions."""

    SEND = auto()
    NOT_MODIFIED = auto()
    PRECONDITION_FAILED = auto()


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from ``first`` to ``last``, both included, of a file of ``total`` bytes."""

    first: int
    last: int
    total: int

    @property
    def length(self) -> int:
        """The number of bytes."""
        return self.last - self.first + 1

    @property
    def content_range(self) -> str:
        """The value of the Content-Range header."""
        return f"bytes {self.first}-{self.last}/{self.total}"


class UnsatisfiableError(Exception):
    """A range that begins after the end of the file."""


def read_range(headers: Headers, total: int, etag: str, modified: datetime) -> Span | None:
    """Return the requested part; None without a range, with several, or with one for another version.

    Raises:
        UnsatisfiableError: the range begins after the end of the file.
    """
    match = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    if match is None or not (match[1] or match[2]) or not _is_current(headers, etag, modified):
        return None
    if not match[1]:
        size = min(int(match[2]), total)
        if not size:
            raise UnsatisfiableError
        return Span(total - size, total - 1, total)
    first = int(match[1])
    last = min(int(match[2]), total - 1) if match[2] else total - 1
    if match[2] and int(match[2]) < first:
        return None
    if first >= total:
        raise UnsatisfiableError
    return Span(first, last, total)


def check_conditions(headers: Headers, etag: str, modified: datetime) -> Precondition:
    """Check the conditions of a request against the current version of a file."""
    if (wanted := headers.get("if-match")) is not None:
        if not _matches(wanted, etag):
            return Precondition.PRECONDITION_FAILED
    elif (limit := _date(headers.get("if-unmodified-since"))) and _seconds(modified) > limit:
        return Precondition.PRECONDITION_FAILED
    if (known := headers.get("if-none-match")) is not None:
        return Precondition.NOT_MODIFIED if _matches(known, etag) else Precondition.SEND
    since = _date(headers.get("if-modified-since"))
    return Precondition.NOT_MODIFIED if since and _seconds(modified) <= since else Precondition.SEND


def _is_current(headers: Headers, etag: str, modified: datetime) -> bool:
    wanted = headers.get("if-range")
    if wanted is None:
        return True
    if wanted.startswith(('"', "W/")):
        return wanted == etag
    return _date(wanted) == _seconds(modified)


def _matches(listed: str, etag: str) -> bool:
    if listed.strip() == "*":
        return True
    plain = etag.removeprefix("W/").strip('"')
    return plain in (item.strip().removeprefix("W/").strip('"') for item in listed.split(","))


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
