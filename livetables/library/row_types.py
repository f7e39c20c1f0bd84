"""Rows as the app wants them: read-only dicts, dataclasses or pydantic models."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from types import CodeType, FunctionType
from typing import Any, Final, NoReturn

from pydantic import TypeAdapter, ValidationError

from livetables.tables.changes import Record

_READ_ONLY: Final = "All tabs share this row. Change it with db.update(...), or copy it with dict(row)."


class Row(dict[str, Any]):
    """One row: column name to value, as JSON has them. It cannot be changed, because all tabs share it."""

    __slots__ = ()

    def _refuse(self, *_arguments: object, **_options: object) -> NoReturn:
        raise TypeError(_READ_ONLY)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[Row], tuple[dict[str, Any]]]:
        """Pickle and copy it as a value."""
        return Row, (dict(self),)


def reader(row_type: type | None) -> Callable[[Record], Any]:
    """Return the function that makes a row of a record.

    `row_type` is a dataclass or a pydantic model; None for `Row`. Columns that it does not have
    are left out. What the function raises is a `ValueError` that names the field.
    """
    if row_type is None:
        return Row
    adapter: TypeAdapter[Any] = TypeAdapter(row_type)

    def read(record: Record) -> Any:
        try:
            return adapter.validate_python(record)
        except ValidationError as error:
            raise ValueError(str(error)) from error

    return read


def fields_of(row_type: type | None) -> frozenset[str] | None:
    """Return the names of the fields of a row type, None if it has all columns."""
    if row_type is None:
        return None
    if dataclasses.is_dataclass(row_type):
        return frozenset(field.name for field in dataclasses.fields(row_type))
    known = getattr(row_type, "model_fields", None) or getattr(row_type, "__annotations__", {})
    return frozenset(known)


def value_of(row: object, column: str) -> Any:
    """Return a column of a row of any type."""
    return row[column] if isinstance(row, Mapping) else getattr(row, column)


def fingerprint(thing: object) -> Hashable:
    """Return a value that is equal for what a script defines again in each run, until it is edited.

    A script's classes and functions are new objects in each run of each tab.
    """
    if isinstance(thing, type):
        own = {
            name: value for name, value in vars(thing).items() if isinstance(value, FunctionType | property)
        }
        shape = tuple((name, str(hint)) for name, hint in getattr(thing, "__annotations__", {}).items())
        return (
            thing.__module__,
            thing.__qualname__,
            shape,
            tuple(_of_function(value) for value in own.values()),
        )
    return _of_function(thing)


def _of_function(thing: object) -> Hashable:
    getter = thing.fget if isinstance(thing, property) else thing
    code = getattr(getter, "__code__", None)
    name = getattr(getter, "__module__", None), getattr(getter, "__qualname__", None)
    return (name, _of_code(code)) if isinstance(code, CodeType) else thing


def _of_code(code: CodeType) -> Hashable:
    constants = tuple(
        _of_code(each) if isinstance(each, CodeType) else (type(each), repr(each)) for each in code.co_consts
    )
    return code.co_name, code.co_code, code.co_names, constants


def as_record(row: object) -> Record:
    """Return the columns of a row of any type, as JSON has them."""
    if isinstance(row, Row):
        return row
    record = TypeAdapter(type(row)).dump_python(row, mode="json")
    assert isinstance(record, dict)
    return record
