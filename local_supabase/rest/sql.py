"""How SQL is put together: names through one quoting function, values only ever as parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from local_supabase.rest.catalog import Name

SOURCE: Final = '"pgrst_source"'


def identifier(name: str) -> str:
    """Quote a name; a NUL ends it, as in PostgREST, because Postgres has no names with one."""
    return '"' + name.split("\0", 1)[0].replace('"', '""') + '"'


def qualified(name: Name) -> str:
    """Quote a name with its schema."""
    return f"{identifier(name.schema)}.{identifier(name.name)}"


def comma(parts: list[str]) -> str:
    """Join parts of a list."""
    return ", ".join(parts)


class Parameters:
    """The values of a statement, numbered as they are met."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[object] = []

    def text(self, value: str) -> str:
        """Give a text value."""
        self.values.append(value)
        return f"${len(self.values)}::text"

    def cast(self, value: str, kind: Name) -> str:
        """Give a value as its text form, read by the type's own input function."""
        return f"{self.text(value)}::{qualified(kind)}"

    def texts(self, values: Sequence[str]) -> str:
        """Give an array of texts."""
        self.values.append(tuple(values))
        return f"${len(self.values)}::text[]"

    def number(self, value: int) -> str:
        """Give a 64-bit number."""
        self.values.append(value)
        return f"${len(self.values)}::int8"

    def binary(self, value: bytes) -> str:
        """Give raw bytes."""
        self.values.append(value)
        return f"${len(self.values)}::bytea"
