"""The `Prefer` header (RFC 7240), as PostgREST reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from local_supabase.rest.remember import remembered


class Resolution(StrEnum):
    """What an insert does with a row that is already there."""

    MERGE = "resolution=merge-duplicates"
    IGNORE = "resolution=ignore-duplicates"


class Return(StrEnum):
    """What a write answers with."""

    REPRESENTATION = "return=representation"
    MINIMAL = "return=minimal"
    HEADERS_ONLY = "return=headers-only"


class Count(StrEnum):
    """How the total is counted."""

    EXACT = "count=exact"
    PLANNED = "count=planned"
    ESTIMATED = "count=estimated"


class Missing(StrEnum):
    """What a column gets that `columns` names and a row leaves out."""

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
    """What the caller prefers; None where it said nothing."""

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
        """Whether what cannot be honored is an error."""
        return self.handling is Handling.STRICT

    @property
    def exact_count(self) -> bool:
        """Whether the rows have to be counted."""
        return self.count in {Count.EXACT, Count.ESTIMATED}

    def applied(
        self,
        *,
        resolution: bool = False,
        missing: bool = False,
        returns: bool = False,
        max_affected: bool = False,
    ) -> str:
        """Return the value of `Preference-Applied`, empty if there is nothing to say.

        The arguments say which of the preferences that only some requests know were honored.
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


@remembered(512)
def _parse(header: str) -> tuple[Preferences, str | None]:
    given = [part.strip() for part in header.split(",")] if header else []
    timezone = _prefixed(given, "timezone=")
    # A hosted project ends transactions its own way (db-tx-end = commit): tx= is known, and not obeyed.
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
    """Parse the values of all `Prefer` headers; the first value of each preference counts."""
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
