"""Rows as a write will make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self, TypeVar

from db.columns import Record

M = TypeVar("M", bound="Model")


class Model(Protocol):
    """A dataclass of a row that can be read from JSON."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row as PostgREST or Realtime sends it."""


def with_values(row: M, values: Mapping[str, object]) -> M:
    """Return a row with some columns changed, whose values are JSON as the database would take them."""
    record = {each.name: _as_json(getattr(row, each.name)) for each in fields(row)}
    return row.from_record({**record, **values})


def _as_json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
