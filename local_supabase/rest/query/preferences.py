"""The `Prefer` header (RFC 7240), as PostgREST reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from local_supabase.rest.memoize import memoized


class Resolution(StrEnum):
    """What an insert does with a row that is already there."""

    MERGE = "resolution=merge-duplicates"
    IGNORE = "resolution=ignore-duplicates"


class Return(StrEnum):
    """What the response to a write contains."""

    REPRESENTATION = "return=representation"
    MINIMAL = "return=minimal"
    HEADERS_ONLY = "return=headers-only"


class Count(StrEnum):
    """How the total is counted."""

    EXACT = "count=exact"
    PLANNED = "count=planned"
    ESTIMATED = "count=estimated"


class Missing(StrEnum):
    """The value of a column that `columns` names and a row lacks."""

    DEFAULT = "missing=default"
    NULL = "missing=null"


class Handling(StrEnum):
    """Whether an unknown preference is an error."""

    STRICT = "handling=strict"
    LENIENT = "handling=lenient"


E = TypeVar("E", bound=StrEnum)
_TRANSACTION = ("tx=commit", "tx=rollback")


@dataclass(frozen=True, slots=True)
class Preferences:
    """The caller's preferences; None where the header has none.

    Arguments:
        resolution: what an insert does with a row that is already there.
        returns: what the response to a write contains.
        count: how the total is counted.
        missing: the value of a column that a row lacks.
        handling: whether an unknown preference is an error.
        timezone: the time zone of the transaction.
        max_affected: the most rows that a write or call may affect.
        invalid: the unknown preferences.
    """

    resolution: Resolution | None = None
    returns: Return | None = None
    count: Count | None = None
    missing: Missing | None = None
    handling: Handling | None = None
    timezone: str | None = None
    max_affected: int | None = None
    invalid: tuple[str, ...] = ()

    @property
    def strict(self) -> bool:
        """Whether a preference that cannot be honored is an error."""
        return self.handling is Handling.STRICT

    @property
    def exact_count(self) -> bool:
        """Whether the statement counts the rows."""
        return self.count in {Count.EXACT, Count.ESTIMATED}

    def applied(
        self,
        *,
        resolution: bool = False,
        missing: bool = False,
        returns: bool = False,
        max_affected: bool = False,
    ) -> str:
        """Return the value of `Preference-Applied`; empty if no preference was applied.

        Arguments:
            resolution: whether this request honors the resolution.
            missing: whether it honors the value of missing columns.
            returns: whether it honors what the response contains.
            max_affected: whether it honors the limit.
        """
        values = [
            self.resolution if resolution else None,
            self.missing if missing else None,
            self.returns if returns else None,
            self.count,
            self.handling,
            f"timezone={self.timezone}" if self.timezone else None,
            f"max-affected={self.max_affected}"
            if max_affected and self.strict and self.max_affected is not None
            else None,
        ]
        return ", ".join(value for value in values if value)


@memoized(512)
def _parse(header: str) -> tuple[Preferences, str | None]:
    given = [part.strip() for part in header.split(",")] if header else []
    timezone = _prefixed(given, "timezone=")
    # Hosted projects always commit (db-tx-end = commit), so `tx=` is a known preference without effect.
    known = {*Resolution, *Return, *Count, *Missing, *Handling, *_TRANSACTION}
    invalid = [part for part in given if part not in known and not part.startswith("max-affected=")]
    limit = _prefixed(given, "max-affected=")
    found = Preferences(
        resolution=_first(Resolution, given),
        returns=_first(Return, given),
        count=_first(Count, given),
        missing=_first(Missing, given),
        handling=_first(Handling, given),
        max_affected=int(limit)
        if limit is not None and limit.isascii() and limit.isdigit() and len(limit) < 19
        else None,
        invalid=tuple(invalid),
    )
    return found, timezone


def parse_preferences(headers: Iterable[str], is_timezone: Callable[[str], bool]) -> Preferences:
    """Parse all `Prefer` headers. The first value of each preference applies.

    Arguments:
        headers: the values of the headers.
        is_timezone: whether there is a time zone of a name.
    """
    found, timezone = _parse(",".join(headers))
    if timezone is None or not is_timezone(timezone):
        return found
    invalid = tuple(part for part in found.invalid if not part.startswith("timezone="))
    return replace(found, timezone=timezone, invalid=invalid)


def _first(kind: type[E], given: list[str]) -> E | None:
    values = {member.value: member for member in kind}
    return next((values[part] for part in given if part in values), None)


def _prefixed(given: list[str], prefix: str) -> str | None:
    return next((part.removeprefix(prefix) for part in given if part.startswith(prefix)), None)
