"""Rows as PostgREST and Realtime send them, read into models by the models' annotations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self, TypeVar

import msgspec

__all__ = ["AwareDatetime", "Model", "Record", "read"]

T = TypeVar("T")

Record = Mapping[str, object]
"""One row as JSON: timestamps as RFC 3339 text, uuids as text, `numeric` as a number or as text."""

AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]
"""A `timestamptz`. A time without a zone is refused, because nobody could say which moment it is."""


def read(type_: type[T], value: object) -> T:
    """Convert a JSON value to a type, without guessing: text is no number, and a number is no text.

    Raises `ValueError` with the place in the value when it has another shape.
    """
    # Keys of JSON objects are always text, also where they count something.
    return msgspec.convert(value, type_, str_keys=True)


class Model:
    """Base of the frozen dataclasses that hold a row. Their annotations say how each column is read.

    A nullable column is annotated with `| None`, a `timestamptz` with `AwareDatetime`, a JSON list with
    `tuple[..., ...]`, and a JSON value of any kind with `object`.
    """

    __slots__ = ()

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row; columns that the model does not have are ignored.

        Raises `ValueError` when a column is missing, even a nullable one, or has another shape than its
        annotation. Realtime may leave out a large value that an update did not touch, so a missing column
        is not null.
        """
        try:
            return read(cls, record)
        except msgspec.ValidationError as error:
            raise ValueError(f"{cls.__name__}: {error}") from error
